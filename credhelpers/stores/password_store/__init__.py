"""The password store of pass(1), and the gpg that encrypts it."""
