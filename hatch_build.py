"""Build hook: a real wheel carries the content under `dse/`, so that only `dse` is installed."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

CONTENT = ("models", "workloads", "studies", "app", "reports")


class ContentUnderDse(BuildHookInterface[Any]):
    """Moves the content below the framework for `standard` wheels, not for editable ones."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders to the wheel; an editable install keeps the checkout's layout."""
        if version == "standard":
            build_data["force_include"].update({name: f"dse/{name}" for name in CONTENT})
