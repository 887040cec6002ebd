"""A stand-in for AWS on a loopback port: for trying things out, for the demo, and for tests.

It is not part of any helper. Each service is a module with one function, ``answer``; what further clouds need
is a module more in `credhelpers.emulator.aws.SERVICES`.
"""

from credhelpers.emulator.account import ACCOUNT, ROLE
from credhelpers.emulator.aws import Emulator
from credhelpers.emulator.messages import Request, Response

__all__ = ["ACCOUNT", "ROLE", "Emulator", "Request", "Response"]
