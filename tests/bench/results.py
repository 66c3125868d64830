"""What was measured, as numbers, as Markdown and as JSON."""
import dataclasses
import json
import math
import statistics


# Figures of a start, by their names in the ready line.
COLD = {"load_ns": "load, ms", "first_ns": "first answer, ms",
        "materialize_ns": "of it materialize", "plan_ns": "of it plan",
        "peak_resident_bytes": "peak MiB"}


@dataclasses.dataclass
class Ratio:
    """How much faster the subject is: the median of the rounds, and their quartiles."""
    median: float
    low: float
    high: float


def ratio_of(subject, peer):
    """From the times of two engines, round by round: above 1 the subject is faster.

    The two times of one round are neighbours, so that what slows the machine for a while slows
    both.
    """
    ratios = [other / own for own, other in zip(subject, peer)]
    if len(ratios) == 1:
        return Ratio(ratios[0], ratios[0], ratios[0])
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(median, low, high)


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


@dataclasses.dataclass
class Measured:
    """One engine on one configuration. Times are nanoseconds, one for each round.

    error: how far outputs are off, of the largest element. ready, memory: what the worker said
    when it had answered once, and at the end.
    """
    rounds: list = dataclasses.field(default_factory=list)
    error: float = 0.0
    wrong: bool = False
    ready: dict = dataclasses.field(default_factory=dict)
    memory: dict = dataclasses.field(default_factory=dict)

    @property
    def median_ns(self):
        return statistics.median(self.rounds)


@dataclasses.dataclass
class Row:
    """One configuration. engines: Measured by the engine's key.

    problems: what went wrong. notes: what is missing without harm.
    """
    network: str
    title: str
    batch: int
    threads: int
    engines: dict = dataclasses.field(default_factory=dict)
    problems: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)

    @property
    def wrong(self):
        return any(one.wrong for one in self.engines.values())

    @property
    def good(self):
        return not self.problems and not self.wrong

    def ratio(self, subject, peer):
        """Of two engines' keys; None where one is missing or wrong."""
        both = [self.engines.get(key) for key in (subject, peer)]
        if not all(one and one.rounds and not one.wrong for one in both):
            return None
        return ratio_of(both[0].rounds, both[1].rounds)


@dataclasses.dataclass
class Results:
    """titles, versions: by the keys of engines, in the order of the columns.

    variants: keys of the engines that are compared with the subject as if they were the subject
    and it the peer.
    """
    titles: dict
    variants: list
    machine: dict = dataclasses.field(default_factory=dict)
    versions: dict = dataclasses.field(default_factory=dict)
    options: dict = dataclasses.field(default_factory=dict)
    notes: list = dataclasses.field(default_factory=list)
    rows: list = dataclasses.field(default_factory=list)

    @property
    def subject(self):
        return next(key for key in self.titles if key not in self.variants)

    @property
    def peers(self):
        return [key for key in self.titles if key != self.subject and key not in self.variants]

    @property
    def comparisons(self):
        """(fast, slow, name): the ratio of each is how much faster the first is."""
        own = self.subject
        return [(own, peer, f"{self.titles[peer]} / {self.titles[own]}") for peer in self.peers] + \
               [(one, own, f"{self.titles[own]} / {self.titles[one]}") for one in self.variants]

    @property
    def good(self):
        return all(row.good for row in self.rows)

    def ratios(self, fast, slow, **wanted):
        """Medians of the rows with such attributes, as threads=1."""
        rows = [row for row in self.rows
                if all(getattr(row, name) == value for name, value in wanted.items())]
        found = [row.ratio(fast, slow) for row in rows]
        return [one.median for one in found if one]

    def losers(self):
        """(ratio, row, peer) where a peer is faster than the subject; the worst is first."""
        found = [(ratio.median, row, peer) for row in self.rows for peer in self.peers
                 for ratio in [row.ratio(self.subject, peer)] if ratio and ratio.median < 1]
        return sorted(found, key=lambda one: one[0])


def to_json(results):
    return json.dumps(dataclasses.asdict(results), indent=1)


def from_json(text):
    fields = json.loads(text)
    rows = [Row(**{**row, "engines": {key: Measured(**one)
                                      for key, one in row["engines"].items()}})
            for row in fields.pop("rows")]
    return Results(**fields, rows=rows)


def milliseconds(nanoseconds):
    """Three digits that count, and no exponents."""
    value = nanoseconds / 1e6
    digits = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{max(0, digits)}f}"


def factor(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def ratio_text(ratio):
    if ratio is None:
        return "-"
    mark = "**" if ratio.median < 1 else ""
    return f"{mark}{factor(ratio.median)}{mark} ({factor(ratio.low)} .. {factor(ratio.high)})"


def table(header, rows):
    """Markdown, with columns as wide as they need to be."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
             for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def time_cell(measured):
    if measured is None:
        return "-"
    if measured.wrong:
        return "WRONG"
    return milliseconds(measured.median_ns) if measured.rounds else "-"


def threads_text(threads):
    return f"{threads} thread" + ("s" if threads > 1 else "")


def times_table(results, threads):
    header = ["network", "batch", *(f"{title}, ms" for title in results.titles.values()),
              *(name for _, _, name in results.comparisons), "error"]
    rows = []
    for row in results.rows:
        if row.threads != threads:
            continue
        errors = [one.error for one in row.engines.values()]
        rows.append([row.title, row.batch,
                     *(time_cell(row.engines.get(key)) for key in results.titles),
                     *(ratio_text(row.ratio(fast, slow)) for fast, slow, _ in results.comparisons),
                     f"{max(errors):.0e}" if errors else "-"])
    return table(header, rows)


def cold_columns(results):
    """(engine, what of its ready line); not all engines tell the parts of the first answer."""
    def told(key, name):
        return any(name in row.engines[key].ready for row in results.rows if key in row.engines)
    return [(key, name) for key in results.titles for name in COLD if told(key, name)]


def cold_cell(measured, name):
    if measured is None or name not in measured.ready:
        return "-"
    if name == "peak_resident_bytes":
        return f"{measured.memory.get(name, measured.ready[name]) / 2**20:.0f}"
    return milliseconds(measured.ready[name])


def cold_table(results, threads):
    columns = cold_columns(results)
    header = ["network", "batch", *(f"{results.titles[key]}: {COLD[name]}"
                                    for key, name in columns)]
    rows = [[row.title, row.batch, *(cold_cell(row.engines.get(key), name)
                                     for key, name in columns)]
            for row in results.rows if row.threads == threads]
    return table(header, rows)


def means_table(results):
    """Geometric means of the ratios, and how many there are below 1."""
    all_threads = sorted({row.threads for row in results.rows})
    all_batches = sorted({row.batch for row in results.rows})
    kinds = [("all", {})]
    if len(all_threads) > 1:
        kinds += [(threads_text(one), {"threads": one}) for one in all_threads]
    if len(all_batches) > 1:
        kinds += [(f"batch {one}", {"batch": one}) for one in all_batches]
    rows = []
    for name, wanted in kinds:
        cells = []
        for fast, slow, _ in results.comparisons:
            ratios = results.ratios(fast, slow, **wanted)
            cells.append(f"{factor(geometric_mean(ratios))} ({factor(min(ratios))} .. "
                         f"{factor(max(ratios))})" if ratios else "-")
        rows.append([name, *cells])
    return table(["geometric mean (min .. max)", *(name for _, _, name in results.comparisons)],
                 rows)


def markdown(results, plot=None):
    own = results.titles[results.subject]
    peers = " and ".join(results.titles[one] for one in results.peers) or "nobody"
    lines = [f"# {own} against {peers}", "",
             "Made by `tests/bench/compare.sh`. Times are medians. A ratio is taken within "
             f"each round, where the engines run one after the other; above 1 {own} is faster. "
             "Given are the median and the quartiles of the rounds.", ""]
    lines += [table(["machine", ""], results.machine.items()), ""]
    lines += [table(["engine", "version"],
                    [(title, results.versions[key]) for key, title in results.titles.items()
                     if key in results.versions]), ""]
    lines += [f"- {note}" for note in results.notes] + [""] * bool(results.notes)
    if results.comparisons and results.rows:
        lines += [means_table(results), ""]
    if plot:
        lines += [f"![Ratios by network and batch]({plot})", ""]
    problems = [(row, text) for row in results.rows for text in row.problems]
    problems += [(row, f"{results.titles[key]} is WRONG: outputs are off by {one.error:.1e} of the "
                  "largest") for row in results.rows for key, one in row.engines.items()
                 if one.wrong]
    if problems:
        lines += ["## Problems", ""]
        lines += [f"- {row.title}, batch {row.batch}, {threads_text(row.threads)}: {text}"
                  for row, text in problems] + [""]
    if results.peers:
        lines += [f"## Where {own} loses", ""]
        losers = results.losers()
        lines += [table(["network", "batch", "threads", "peer", "ratio"],
                        [(row.title, row.batch, row.threads, results.titles[peer], factor(ratio))
                         for ratio, row, peer in losers]) if losers else "Nowhere.", ""]
    for threads in sorted({row.threads for row in results.rows}):
        lines += [f"## {threads_text(threads)}", "", times_table(results, threads), "",
                  "From files to the first answer, and memory:", "",
                  cold_table(results, threads), ""]
    return "\n".join(lines)
