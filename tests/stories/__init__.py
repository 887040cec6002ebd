"""What the commands do, told as stories: run this, expect that."""
