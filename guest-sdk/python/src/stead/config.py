"""The operator's settings for this policy: `[policy.NAME.config]` of stead.toml."""

import json

from wit_world.imports.config import get as text

from ._errors import Error

__all__ = ["parse", "text"]


def parse(**defaults) -> dict:
    """The settings, over these defaults. A key that has no default is an error: a typo of the operator.

    Keys are written with `-` in stead.toml and with `_` here.
    """
    settings = dict(defaults)
    for key, value in json.loads(text()).items():
        name = key.replace("-", "_")
        if name not in defaults:
            known = ", ".join(name.replace("_", "-") for name in defaults)
            raise Error(f"config.{key}: unknown key, expected one of {known}")
        settings[name] = value
    return settings
