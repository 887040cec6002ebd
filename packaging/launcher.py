"""Makes the installed packages importable. packaging/executables.py puts it before an executable's Python."""

import sys

packages = sys._xoptions["packages"]  # what sh has found
sys.path.append(packages)  # behind the standard library, so that no package can hide a module of that
if sys._xoptions.get("shared"):
    import site

    sys.path += site.getsitepackages([sys.base_prefix])  # as they are: .pth files are not run
