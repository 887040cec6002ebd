"""`credhelpers doctor`: the command, and its checks, one module for each subject."""
