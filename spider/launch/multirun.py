"""``--multirun``: Hydra's sweeper and launcher drive the verb; each job writes its own output."""

import logging
import sys
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from spider.errors import ConfigError, InterruptedRunError
from spider.launch.command_line import CommandLine
from spider.launch.composition import CONFIG_MODULE, VERSION_BASE, plain, unknown_setting
from spider.launch.entrypoint import Main, typed_configuration

#: no change of folder, and our own log instead of Hydra's
AS_EVER = ("hydra.job.chdir=false", "hydra/job_logging=none", "hydra/hydra_logging=none")

logger = logging.getLogger(__name__)


def run_all(main: Main, verb: str, line: CommandLine) -> None:
    """Run a verb once for each combination of the comma-separated overrides.

    Job n writes to ``output`` with ``-n`` appended, so that jobs share their inputs and nothing
    else. A job that fails leaves the others to run; the first failure is raised at the end.

    Raises:
        ConfigError: the verb has no such setting.
    """
    if message := unknown_setting(verb, line.overrides):
        raise ConfigError(message)
    failures: list[Exception] = []

    def job(config: DictConfig) -> None:
        # Hydra would answer an exception with a traceback and exit code 1
        if any(isinstance(failure, InterruptedRunError) for failure in failures):
            return
        try:
            attempt(config)
        except Exception as error:
            logger.error("job %d: %s", HydraConfig.get().job.num, error)
            failures.append(error)

    def attempt(config: DictConfig) -> None:
        values = plain(config)
        number = HydraConfig.get().job.num
        values["output"] = numbered_output(values, number)
        logger.info("job %d: %s", number, HydraConfig.get().job.override_dirname)
        main(typed_configuration(main, values, line.overrides))

    words = [sys.argv[0], "--multirun", *line.overrides, *AS_EVER]
    if line.config_dir is not None:
        words.append(f"--config-dir={line.config_dir}")
    saved, sys.argv = sys.argv, words
    try:
        hydra.main(
            version_base=VERSION_BASE, config_path=f"pkg://{CONFIG_MODULE}", config_name=verb
        )(job)()
    finally:
        sys.argv = saved
    if failures:
        raise failures[0]


def numbered_output(values: dict[str, Any], number: int) -> str:
    """Return the output folder of one job.

    Raises:
        ConfigError: the verb writes no output, so its jobs would have nowhere to go.
    """
    if "output" not in values:
        raise ConfigError("--multirun needs a verb with an output")
    return f"{values['output']}-{number}"
