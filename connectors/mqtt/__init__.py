"""Sensors that report to an MQTT broker."""
