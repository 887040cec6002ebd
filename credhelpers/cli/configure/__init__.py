"""`credhelpers configure`."""
