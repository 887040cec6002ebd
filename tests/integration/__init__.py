"""Tests against real tools and services: gpg, pass, gnome-keyring, an emulator of AWS."""
