"""What `credhelpers doctor` looks at: one module for each subject."""
