"""Every remedy that the product names, carried out where the fault that it mends has been staged."""
