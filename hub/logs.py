"""How the hub's processes write their log: one line an event, on standard error; JSON where nobody looks on."""

import logging
import sys

import structlog


def configure_log(level: int = logging.INFO) -> None:
    """`level`: from which on events are written."""
    renderer = (
        structlog.dev.ConsoleRenderer(colors=True) if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def level_of_log() -> int:
    """From which level on this process writes."""
    levels = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
    log = structlog.get_logger()
    return next((level for level in levels if log.is_enabled_for(level)), logging.CRITICAL)
