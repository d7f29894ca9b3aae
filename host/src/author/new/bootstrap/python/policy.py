"""The packages of `[policy.NAME.config]` are installed."""

from stead import config, log, package


def configure():
    settings = config.parse(packages=[])
    for name in settings["packages"]:
        package.install(name)
    log.info(f"{len(settings['packages'])} packages")
