"""Settings of embedding a corpus."""

from dataclasses import dataclass, field

from spider.encoders.encoding import EncodingSettings
from spider.errors import SettingError
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class EmbeddingSettings:
    """Settings of embedding.

    Attributes:
        device: where a transformer runs: cpu, cuda, or auto (CUDA where there is one).
        encoding: precision and batches of a transformer.
        processes: worker processes; several pay off for the static encoder on many cores.
        shard_size: passages in a shard; a kill loses at most one shard.
    """

    device: Execution[str] = "auto"
    encoding: EncodingSettings = field(default_factory=EncodingSettings)
    processes: Execution[int] = 1
    shard_size: int = 8192

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ("processes", "shard_size"):
            if getattr(self, name) < 1:
                raise SettingError(name, getattr(self, name), "at least 1")
