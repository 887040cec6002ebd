"""`credhelpers status`."""
