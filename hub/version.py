"""The version of this package."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("vigie")
except PackageNotFoundError:  # run from a checkout that was not installed
    VERSION = "0"
