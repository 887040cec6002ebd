"""`credhelpers setup`: from whatever is there to encrypted credentials, without a failed pull between."""
