"""Reading config/: everything a centre says about itself, checked as a whole.

    config, findings = load(Path("config"))

Secrets never stand there (hub/secrets.py). A connector's own settings are bound to the `Config` struct of its
class, which is found by its entry point: the hub names no connector.
"""

from hub.config.addresses import check_addresses, made_to_ask
from hub.config.loading import load, load_hub
from hub.config.whole import CHANNELS, FOLLOWERS, SOURCES, ChannelConfig, Config, Lookup, SourceConfig, installed

__all__ = [
    "CHANNELS",
    "FOLLOWERS",
    "SOURCES",
    "ChannelConfig",
    "Config",
    "Lookup",
    "SourceConfig",
    "check_addresses",
    "installed",
    "load",
    "load_hub",
    "made_to_ask",
]
