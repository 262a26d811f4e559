"""Finds a checkpoint in a folder or on the hub."""

import re
from pathlib import Path

from jamba_reader.checkpoints.files import CONFIG, INDEX, SMALL_FILES
from spider.artifacts.folder.manifest import sibling
from spider.errors import CheckpointError, ConfigError, MissingDependencyError, first_line

HUB_NAME = re.compile(r"^[\w.-]+/[\w.-]+$")


def find_checkpoint(name_or_path: str | Path, *, revision: str | None = None) -> Path:
    """Return the folder of a checkpoint; a name on the hub is downloaded first.

    Only configuration, safetensors and tokenizer are downloaded, into the hub's own cache. With
    ``HF_HUB_OFFLINE=1`` only that cache is used.

    Args:
        name_or_path: a folder, or a name on the hub.
        revision: commit, tag or branch on the hub.

    Raises:
        CheckpointError: there is no such folder or model.
        ConfigError: a revision was given with a folder.
        MissingDependencyError: the hub cannot be reached.
    """
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        if revision is not None:
            raise ConfigError(
                f"revision={revision}: {path} is a folder here, which has no revisions"
            )
        return path
    if path.exists():
        raise CheckpointError(f"{path} is a file; give the folder that holds {CONFIG}")
    if sibling(path, "partial").is_dir():
        raise CheckpointError(
            f"{path}: an unfinished reader; run the command that writes it again to finish it"
        )
    name = str(name_or_path)
    if not HUB_NAME.match(name) or name.startswith("."):
        raise CheckpointError(f"{path}: no such folder, and not a name on the hub (OWNER/MODEL)")
    return _from_hub(name, revision)


def _from_hub(name: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    patterns = ["*.safetensors", INDEX, *SMALL_FILES]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except GatedRepoError as error:
        raise CheckpointError(
            f"{name}: its owner requires consent: accept on https://huggingface.co/{name} and log "
            "in with hf auth login"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        at = "" if revision is None else f" at revision {revision}"
        raise CheckpointError(
            f"{name}: no such folder here and no such model on the hub{at}"
        ) from error
    except (LocalEntryNotFoundError, OSError) as error:
        raise MissingDependencyError(
            f"{name}: no such folder here, it is not in the hub's cache, and the hub cannot be "
            f"reached ({first_line(error)}); give a folder that holds the model"
        ) from error
