"""The ratios as bars: a row of panels for each thread count, a column for each comparison."""
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot, ticker  # noqa: E402

from results import factor, geometric_mean, threads_text  # noqa: E402

# One hue, darker for larger batches; what loses is of another.
FASTER = ("#9fc5e8", "#4f93ce", "#1b5e9b", "#0b3a66")
SLOWER = ("#f4b183", "#e07b39", "#b34e0f", "#7d3306")
INK, PALE = "#222222", "#dddddd"


def draw(results, file):
    """Returns whether there was anything to draw."""
    threads = sorted({row.threads for row in results.rows})
    batches = sorted({row.batch for row in results.rows})
    titles = list(dict.fromkeys(row.title for row in results.rows))
    comparisons = [one for one in results.comparisons if results.ratios(*one[:2])]
    if not comparisons:
        return False
    pyplot.rcParams.update({"font.size": 9, "svg.fonttype": "path", "text.color": INK,
                            "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
                            "axes.edgecolor": PALE})
    height = 1.2 + len(threads) * (0.9 + 0.155 * len(titles) * (len(batches) + 1))
    figure, axes = pyplot.subplots(len(threads), len(comparisons), sharex="col", sharey=True,
                                   squeeze=False, figsize=(1.6 + 4.2 * len(comparisons), height),
                                   layout="constrained")
    # The strip at the bottom is the legend's.
    figure.get_layout_engine().set(rect=(0, 0.3 / height, 1, 1 - 0.4 / height))
    for at_row, count in enumerate(threads):
        for at_column, comparison in enumerate(comparisons):
            panel(axes[at_row][at_column], results, count, comparison, batches, titles)
        axes[at_row][0].set_ylabel(threads_text(count), fontsize=10, fontweight="bold")
    for axis, (_, _, name) in zip(axes[0], comparisons):
        axis.set_title(name, loc="left", fontsize=11, fontweight="bold", pad=8)
    for axis in axes[-1]:
        axis.set_xlabel("times as fast", fontsize=8)
    legend(figure, batches)
    figure.savefig(file)
    pyplot.close(figure)
    return True


def panel(axis, results, threads, comparison, batches, titles):
    fast, slow, _ = comparison
    ratios = {(row.title, row.batch): row.ratio(fast, slow) for row in results.rows
              if row.threads == threads}
    thickness = 0.84 / len(batches)
    for at, title in enumerate(titles):
        for number, batch in enumerate(batches):
            ratio = ratios.get((title, batch))
            if ratio is None:
                continue
            place = at + (number - (len(batches) - 1) / 2) * thickness
            shades = FASTER if ratio.median >= 1 else SLOWER
            axis.barh(place, ratio.median - 1, left=1, height=thickness * 0.9,
                      color=shades[shade(number, len(batches))], zorder=2)
            axis.plot([ratio.low, ratio.high], [place, place], color=INK, linewidth=0.8, zorder=3)
            label(axis, place, ratio)
    axis.set_xscale("log")
    low, high = limits(results, fast, slow)
    axis.set_xlim(low, high)
    ticks(axis)
    axis.axvspan(low, 1, color="#fdf4ee", linewidth=0, zorder=0)
    axis.axvline(1, color=INK, linewidth=1, zorder=4)
    mean_line(axis, [one.median for one in ratios.values() if one])
    axis.set_yticks(range(len(titles)), titles)
    axis.set_ylim(len(titles) - 0.45, -0.95)
    axis.tick_params(axis="both", length=0)
    axis.grid(axis="x", color=PALE, linewidth=0.6, zorder=0)
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(False)


def limits(results, fast, slow):
    """Of the axis that the panels of a column share, with room for numbers beside the bars."""
    ratios = [ratio for row in results.rows for ratio in [row.ratio(fast, slow)] if ratio]
    low = min(1.0, *(one.low for one in ratios))
    high = max(1.0, *(one.high for one in ratios))
    room = max(1.15, (high / low) ** 0.2)
    return low / room, high * room


def shade(number, count):
    """From the middle of the shades outwards when there are few."""
    return 1 if count == 1 else min(number, len(FASTER) - 1)


def label(axis, place, ratio):
    """The number at the end of its bar and whiskers."""
    right = ratio.median >= 1
    axis.annotate(factor(ratio.median), (ratio.high if right else ratio.low, place),
                  (3 if right else -3, 0), textcoords="offset points", va="center",
                  ha="left" if right else "right", fontsize=6.5, zorder=5)


def ticks(axis):
    steps = [0.1, 0.2, 0.5, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500]
    low, high = axis.get_xlim()
    shown = [one for one in steps if low <= one <= high]
    if high / low > 6:
        shown = [one for one in shown if one not in (0.8, 1.25, 1.5)]
    if high / low > 60:
        shown = [one for one in shown if one not in (3, 0.2)]
    axis.xaxis.set_major_locator(ticker.FixedLocator(shown))
    axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(ticker.NullLocator())


def mean_line(axis, ratios):
    if len(ratios) < 2:
        return
    mean = geometric_mean(ratios)
    axis.axvline(mean, color="#2e8b57", linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    axis.annotate(f"mean {factor(mean)}", (mean, 1), (0, -1), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="center", va="top", fontsize=7, color="#2e8b57",
                  zorder=6, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})


def legend(figure, batches):
    handles = [matplotlib.patches.Patch(color=FASTER[shade(at, len(batches))],
                                        label=f"batch {batch}")
               for at, batch in enumerate(batches)]
    handles.append(matplotlib.patches.Patch(color=SLOWER[1], label="slower"))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), frameon=False)
