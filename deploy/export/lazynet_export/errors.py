"""What cannot be exported, with the place in the user's source."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that is not supported. `place` is a Place or None."""
    text: str
    place: object = None

    def __str__(self):
        return f"{self.place.file}:{self.place.line}: {self.text}\n    {self.place.source}" \
            if self.place else self.text


class ExportError(Exception):
    """All that was found, at once; by place."""

    def __init__(self, problems):
        found = [Problem(problem) if isinstance(problem, str) else problem for problem in problems]
        self.problems = sorted(dict.fromkeys(found), key=lambda problem: (
            (problem.place.file, problem.place.line) if problem.place else ("", 0)))
        super().__init__("\n".join(map(str, self.problems)))


class Unsupported(Exception):
    """Raised while one call is converted; becomes a Problem with the call's place."""


class TraceFailure(Exception):
    """The forward function asks what is known only when a request comes. Ends the trace."""
