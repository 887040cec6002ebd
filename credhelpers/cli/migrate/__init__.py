"""`credhelpers migrate`."""
