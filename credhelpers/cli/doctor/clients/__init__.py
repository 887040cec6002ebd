"""The clients besides Docker's CLI that pull images on this machine, one module for each."""
