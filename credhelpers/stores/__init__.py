"""The stores: one module or package for each place where credentials are kept."""
