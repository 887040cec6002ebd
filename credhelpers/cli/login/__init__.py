"""`credhelpers login` and `logout`."""
