"""The ``student`` encoder: questions by a transformer, passages by a table fitted to its vectors.

A passage's vector is the normalised sum of its word pieces' vectors, each times its piece's weight,
as in ``static``. The table is fitted to the vectors that the transformer, the teacher, gives to a
sample of the corpus. So embedding a corpus takes the time of ``static``, and the ranking is nearly
the teacher's.

The fit is in :mod:`spider.encoders.distillation`, so that settings can be made without torch.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spider.artifacts.artifact import Artifact
from spider.artifacts.records.encoder import EncoderRecord
from spider.corpus.corpus import Corpus
from spider.encoders.bert import BertSettings
from spider.encoders.corpus_fitted import FittedEncoder
from spider.encoders.encoding import EncodingSettings
from spider.errors import CheckpointError, ConfigError, SettingError
from spider.settings import Execution
from spider.training.settings import TrainingSettings

if TYPE_CHECKING:
    import spider.encoders.distillation.student_encoder


class StudentSettings:
    """Settings of the ``student`` encoder.

    Args:
        teacher: a folder or a name on the hub of a transformer, as ``architecture.start`` of
            ``bert``; an encoder artifact too.
        sample: passages that the teacher encodes for the fit; null lets the sample grow until
            that hardly helps.
        steps: updates of a fit.
        learning_rate: the peak rate of the vectors.
        weight_rate: the peak rate of the logarithms of the weights.
        batch_size: passages of an update.
        precision: type of the teacher's matrix products while it encodes the sample.
    """

    variant = "student"
    # the kernel sums rows in float32
    mixed_precision = False

    def __init__(
        self,
        *,
        teacher: Execution[str] = "",
        sample: int | None = None,
        steps: int = 80,
        learning_rate: float = 4e-3,
        weight_rate: float = 1e-2,
        batch_size: int = 512,
        precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
    ):
        for name, count in (("sample", sample), ("batch_size", batch_size)):
            if count is not None and count < 1:
                raise SettingError(name, count, "at least 1")
        for name, value in (
            ("steps", steps),
            ("learning_rate", learning_rate),
            ("weight_rate", weight_rate),
        ):
            if value < 0:
                raise SettingError(name, value, "0 or more")
        self.teacher = teacher
        self.sample = sample
        self.steps = steps
        self.learning_rate = learning_rate
        self.weight_rate = weight_rate
        self.batch_size = batch_size
        self.precision = precision

    @property
    def starts(self) -> tuple[str, ...]:
        """The source of the teacher."""
        return (self.teacher,)

    def inputs(self) -> Mapping[str, Artifact]:
        """Return the teacher where it is an encoder artifact.

        Raises:
            ConfigError: no teacher is named.
            CheckpointError: the teacher has a table for its passages.
        """
        from spider.encoders.distillation.teacher import teacher_artifact

        if not self.teacher:
            raise ConfigError(
                "architecture.teacher is empty; a student needs a transformer: give its folder, "
                "an encoder artifact, or a name on the hub"
            )
        artifact = teacher_artifact(self.teacher)
        return {} if artifact is None else {"teacher": artifact}

    def fit(self, corpus: Corpus, folder: Path, *, training: TrainingSettings) -> FittedEncoder:
        """Fit a table to the teacher's vectors of a sample, and write both towers."""
        from spider.encoders.distillation.distillation import Distillation, DistillationSettings
        from spider.encoders.distillation.fit import FitSettings
        from spider.encoders.distillation.student_files import save_student
        from spider.encoders.distillation.teacher import settle_teacher

        fit = FitSettings(
            steps=self.steps,
            learning_rate=self.learning_rate,
            weight_rate=self.weight_rate,
            batch_size=self.batch_size,
        )
        teacher = settle_teacher(
            BertSettings(start=self.teacher),
            folder,
            device=training.device,
            encoding=EncodingSettings(precision=self.precision),
        )
        distillation = Distillation(corpus, teacher, folder, seed=training.seed)
        fitted = distillation.run(DistillationSettings(sample=self.sample, fit=fit))
        shown = {"steps": self.steps, "batch size": self.batch_size, "seed": training.seed}
        return save_student(fitted, teacher, corpus, folder, source=self.teacher, settings=shown)


def load(
    folder: Path,
    record: EncoderRecord,
    device: str = "cpu",
    encoding: EncodingSettings | None = None,
) -> "spider.encoders.distillation.student_encoder.StudentEncoder":
    """Load both towers; the table always encodes on the CPU, in float32.

    Raises:
        CheckpointError: the manifest names no encoder of questions, or the towers differ in the
            length of their vectors.
    """
    from spider.encoders.distillation.layout import PASSAGES
    from spider.encoders.distillation.student_encoder import StudentEncoder
    from spider.encoders.distillation.teacher import load_question_tower
    from spider.encoders.table.checkpoint import load_table
    from spider.encoders.table.inference import StaticEncoder

    tower = record.question_tower
    if tower is None:
        raise CheckpointError(f"{folder}: the manifest names no encoder of questions")
    questions = load_question_tower(
        folder, tower.encoder, tower.variant, device=device, encoding=encoding
    )
    if questions.dimension != record.dimension:
        raise CheckpointError(
            f"{folder}: vectors of questions have {questions.dimension} numbers, those of "
            f"passages {record.dimension}"
        )
    table, tokenizer = load_table(folder / PASSAGES, record.dimension)
    return StudentEncoder(questions, StaticEncoder(table.numpy(), tokenizer))
