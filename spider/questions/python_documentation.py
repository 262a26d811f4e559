"""The bundled questions about Python, answered by the documentation in every installation.

They were written for this project, as a person would ask. Their answers are short (a name, a value,
a term) and occur in the text of ``spider.sources.python_documentation``. Each names the document
that it was written from, so that questions about one document are resampled together.
"""

from importlib import resources

from spider.errors import DataError
from spider.question import Question, QuestionSet
from spider.reading import parse_json, read_text

NAME = "python-documentation"
RECORDS = "python_documentation.jsonl"


class PythonDocumentationQuestions:
    """The question set for the corpus of ``PythonDocumentation``; it has no settings."""

    def read(self) -> QuestionSet:
        """Return the questions in file order.

        A question's cluster is the document that answers it; the tag ``about`` says whether that
        is a ``language`` topic or a ``library`` module.

        Raises:
            DataError: the file is missing from this installation, or a line is malformed.
        """
        file = resources.files("spider.questions") / RECORDS
        with resources.as_file(file) as path:
            if not path.is_file():
                raise DataError(
                    "the bundled questions are missing; fix: install spider-odqa again", path=path
                )
            lines = read_text(path).splitlines()
        questions = tuple(
            _to_question(line, str(file), number) for number, line in enumerate(lines, start=1)
        )
        return QuestionSet(name=NAME, questions=questions, match="string")


def _to_question(line: str, path: str, number: int) -> Question:
    try:
        record = parse_json(line, path, line=number)
        document = str(record["document"])
        return Question(
            id=record["id"],
            text=record["question"],
            answers=tuple(record["answers"]),
            cluster=document,
            tags={"about": "language" if document.startswith("topic/") else "library"},
        )
    except (TypeError, KeyError) as error:
        raise DataError(f"not a question: {error!r}", path=path, line=number) from error
