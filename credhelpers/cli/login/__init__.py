"""`credhelpers login`."""
