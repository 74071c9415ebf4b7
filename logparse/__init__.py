"""Reads Odoo's server log and tells what happened to every queue_job."""

__version__ = "0.1.0"
