"""`credhelpers init`."""
