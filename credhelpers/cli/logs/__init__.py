"""`credhelpers logs`."""
