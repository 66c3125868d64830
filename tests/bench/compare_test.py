#!/usr/bin/python3
"""Tests of the comparison: its arithmetic, its tables, and how it drives workers (fake ones)."""
import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import textwrap
import types
import unittest
import unittest.mock

import numpy

import compare
from results import (Measured, Ratio, Results, Row, cold_table, from_json, geometric_mean, markdown,
                     means_table, milliseconds, ratio_of, ratio_text, table, times_table, to_json)
from workers import Engine, Worker, WorkerError

READY = {"engine": "fake", "version": "1", "load_ns": 2_000_000, "first_ns": 1_500_000,
         "resident_bytes": 2**20, "peak_resident_bytes": 3 * 2**20}
TITLES = {"lazynet": "lazynet", "lazynet-bf16": "lazynet BF16", "onnxruntime": "ONNX Runtime",
          "pytorch": "PyTorch"}

# Says its name into a log when it runs; its output is its second argument.
FAKE = """
    import array, json, sys
    name, value, log, *rest = sys.argv[1:]
    if name == "refuses":
        sys.exit("one thing\\nno such precision\\nRun with --help for more information.")
    print(json.dumps(%r), flush=True)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "quit":
            break
        if command == "dies":
            sys.exit("gone")
        if command == "run":
            open(log, "a").write(name)
            answer = {"median_ns": 1000 * ord(name), "min_ns": 1, "runs": 3}
        elif command == "outputs":
            open(argument + "/0.bin", "wb").write(array.array("f", [float(value), 10]).tobytes())
            answer = {}
        elif command == "memory":
            answer = {"resident_bytes": 1, "peak_resident_bytes": 5 * 2**20}
        print(json.dumps(answer), flush=True)
    """ % READY


def row_of(batch=1, threads=1, network="net", **rounds):
    engines = {key.replace("_", "-"): Measured(rounds=values, ready=READY)
               for key, values in rounds.items()}
    return Row(network, network.upper(), batch, threads, engines)


def results_of(*rows, keys=tuple(TITLES)):
    return Results({key: TITLES[key] for key in keys},
                   [key for key in keys if key == "lazynet-bf16"], rows=list(rows))


class RatioTest(unittest.TestCase):
    def test_is_taken_round_by_round(self):
        # Both are ten times slower in the last round: that is no change of the ratio.
        ratio = ratio_of([10, 10, 100], [20, 20, 200])
        self.assertEqual((ratio.median, ratio.low, ratio.high), (2, 2, 2))

    def test_has_quartiles(self):
        ratio = ratio_of([1, 1, 1, 1, 1], [5, 1, 3, 2, 4])
        self.assertEqual((ratio.low, ratio.median, ratio.high), (2, 3, 4))

    def test_of_one_round_has_no_spread(self):
        self.assertEqual(ratio_of([2], [3]), Ratio(1.5, 1.5, 1.5))

    def test_is_missing_without_an_engine_or_with_wrong_outputs(self):
        row = row_of(lazynet=[1, 1], pytorch=[2, 2])
        self.assertEqual(row.ratio("lazynet", "pytorch").median, 2)
        self.assertIsNone(row.ratio("lazynet", "onnxruntime"))
        row.engines["pytorch"].wrong = True
        self.assertIsNone(row.ratio("lazynet", "pytorch"))
        self.assertFalse(row.good)

    def test_geometric_mean_of_a_number_and_its_inverse_is_1(self):
        self.assertAlmostEqual(geometric_mean([4, 0.25]), 1)
        self.assertAlmostEqual(geometric_mean([2, 8]), 4)


class ResultsTest(unittest.TestCase):
    def test_comparisons_of_peers_and_of_variants_have_opposite_directions(self):
        results = results_of(row_of(lazynet=[10], lazynet_bf16=[5], onnxruntime=[20]))
        names = [name for _, _, name in results.comparisons]
        self.assertEqual(names, ["ONNX Runtime / lazynet", "PyTorch / lazynet",
                                 "lazynet / lazynet BF16"])
        self.assertEqual([results.ratios(*one[:2]) for one in results.comparisons],
                         [[2], [], [2]])

    def test_without_lazynet_the_next_engine_is_the_subject(self):
        results = results_of(keys=("onnxruntime", "pytorch"))
        self.assertEqual(results.subject, "onnxruntime")
        self.assertEqual(results.peers, ["pytorch"])

    def test_ratios_are_selected_by_attributes(self):
        results = results_of(row_of(lazynet=[1], pytorch=[2]),
                             row_of(lazynet=[1], pytorch=[3], threads=2),
                             row_of(lazynet=[1], pytorch=[4], batch=8, threads=2))
        self.assertEqual(results.ratios("lazynet", "pytorch"), [2, 3, 4])
        self.assertEqual(results.ratios("lazynet", "pytorch", threads=2), [3, 4])
        self.assertEqual(results.ratios("lazynet", "pytorch", threads=2, batch=8), [4])

    def test_losers_are_listed_worst_first(self):
        results = results_of(row_of(lazynet=[10], onnxruntime=[9], pytorch=[20]),
                             row_of(lazynet=[10], onnxruntime=[5], batch=8))
        self.assertEqual([(ratio, row.batch, peer) for ratio, row, peer in results.losers()],
                         [(0.5, 8, "onnxruntime"), (0.9, 1, "onnxruntime")])

    def test_json_brings_back_what_was_written(self):
        results = results_of(row_of(lazynet=[10, 11], pytorch=[20, 21]))
        results.notes.append("a note")
        self.assertEqual(from_json(to_json(results)), results)


class TextTest(unittest.TestCase):
    def test_milliseconds_have_three_digits(self):
        for nanoseconds, text in ((33_000, "0.0330"), (123_456_789, "123"), (4_400_000, "4.40"),
                                  (1_234_000_000, "1234"), (0, "0")):
            self.assertEqual(milliseconds(nanoseconds), text)

    def test_a_lost_ratio_is_bold(self):
        self.assertEqual(ratio_text(Ratio(1.1, 1, 1.25)), "1.10 (1.00 .. 1.25)")
        self.assertEqual(ratio_text(Ratio(0.9, 0.8, 1)), "**0.90** (0.80 .. 1.00)")
        self.assertEqual(ratio_text(None), "-")

    def test_large_ratios_have_fewer_digits(self):
        self.assertEqual(ratio_text(Ratio(14.56, 9.999, 584.3)), "14.6 (10.00 .. 584)")

    def test_a_table_has_columns_of_equal_width(self):
        self.assertEqual(table(["a", "name"], [["long", 1]]),
                         "| a    | name |\n|------|------|\n| long | 1    |")

    def test_times_have_a_row_for_each_configuration_of_a_thread_count(self):
        results = results_of(row_of(lazynet=[1e6], pytorch=[2e6]),
                             row_of(lazynet=[3e6], pytorch=[2e6], threads=2),
                             keys=("lazynet", "pytorch"))
        results.rows[1].engines["lazynet"].error = 1.2e-5
        header, _, row = times_table(results, 2).splitlines()
        self.assertEqual([cell.strip() for cell in header.split("|")[1:-1]],
                         ["network", "batch", "lazynet, ms", "PyTorch, ms", "PyTorch / lazynet",
                          "error"])
        self.assertEqual([cell.strip() for cell in row.split("|")[1:-1]],
                         ["NET", "1", "3.00", "2.00", "**0.67** (0.67 .. 0.67)", "1e-05"])

    def test_wrong_outputs_have_no_time(self):
        results = results_of(row_of(lazynet=[1e6], pytorch=[2e6]), keys=("lazynet", "pytorch"))
        results.rows[0].engines["lazynet"].wrong = True
        row = times_table(results, 1).splitlines()[2]
        self.assertEqual([cell.strip() for cell in row.split("|")[3:6]], ["WRONG", "2.00", "-"])
        self.assertIn("lazynet is WRONG", markdown(results))

    def test_cold_figures_tell_the_peak_at_the_end(self):
        results = results_of(row_of(lazynet=[1e6]), keys=("lazynet",))
        results.rows[0].engines["lazynet"].memory = {"peak_resident_bytes": 7 * 2**20}
        row = cold_table(results, 1).splitlines()[2]
        self.assertEqual([cell.strip() for cell in row.split("|")[3:6]], ["2.00", "1.50", "7"])

    def test_parts_of_the_first_answer_have_columns_if_an_engine_tells_them(self):
        results = results_of(row_of(lazynet=[1e6], pytorch=[1e6]), keys=("lazynet", "pytorch"))
        results.rows[0].engines["lazynet"].ready = {**READY, "plan_ns": 500_000}
        header, _, row = [[cell.strip() for cell in line.split("|")[3:-1]]
                          for line in cold_table(results, 1).splitlines()]
        self.assertEqual(header, ["lazynet: load, ms", "lazynet: first answer, ms",
                                  "lazynet: of it plan", "lazynet: peak MiB", "PyTorch: load, ms",
                                  "PyTorch: first answer, ms", "PyTorch: peak MiB"])
        self.assertEqual(row, ["2.00", "1.50", "0.500", "3", "2.00", "1.50", "3"])

    def test_means_are_told_by_threads_and_batch(self):
        results = results_of(row_of(lazynet=[1], pytorch=[2]),
                             row_of(lazynet=[1], pytorch=[8], threads=2),
                             keys=("lazynet", "pytorch"))
        lines = [[cell.strip() for cell in line.split("|")[1:-1]]
                 for line in means_table(results).splitlines()[2:]]
        self.assertEqual(lines, [["all", "4.00 (2.00 .. 8.00)"],
                                 ["1 thread", "2.00 (2.00 .. 2.00)"],
                                 ["2 threads", "8.00 (8.00 .. 8.00)"]])

    def test_a_report_of_nothing_is_a_report(self):
        self.assertIn("# lazynet against", markdown(results_of()))


class ErrorTest(unittest.TestCase):
    def test_is_relative_to_the_largest_element(self):
        wanted = [numpy.array([1, -200], "f4")]
        self.assertAlmostEqual(compare.error_of([numpy.array([2, -200], "f4")], wanted), 0.005)

    def test_is_infinite_for_what_cannot_be_compared(self):
        wanted = [numpy.ones(2, "f4")]
        for got in ([], [numpy.ones(3, "f4")], [numpy.array([1, numpy.nan], "f4")]):
            self.assertEqual(compare.error_of(got, wanted), float("inf"))


class WorkerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.script = self.folder / "fake.py"
        self.script.write_text(textwrap.dedent(FAKE))
        self.log = self.folder / "log"

    def command(self, name, value="1"):
        return sys.executable, str(self.script), name, value, str(self.log)

    def engine(self, key, *command, **more):
        return Engine(key, TITLES[key], self.command(*command), "model", **more)

    def measure(self, *engines, rounds=3, seconds=60):
        options = types.SimpleNamespace(engines=engines, rounds=rounds, milliseconds=1,
                                        seconds=seconds)
        network = types.SimpleNamespace(name="net", title="NET", shape=(4,), input_name="x")
        return compare.measure(network, self.folder, self.folder / "input", 2, 1, options)

    def test_answers_until_it_is_closed(self):
        with Worker(self.command("A"), {}, 1) as worker:
            self.assertEqual(worker.ready, READY)
            self.assertEqual(worker.ask("run 5")["median_ns"], 65000)
        self.assertEqual(worker.process.returncode, 0)

    def test_its_last_words_are_the_error(self):
        with self.assertRaisesRegex(WorkerError, "^no such precision$"):
            Worker(self.command("refuses"), {}, 1)
        with Worker(self.command("A"), {}, 1) as worker:
            with self.assertRaisesRegex(WorkerError, "^gone$"):
                worker.ask("dies")
        with self.assertRaises(WorkerError):
            Worker(["/nothing/is/here"], {}, 1)

    def test_silence_is_an_error(self):
        silent = [sys.executable, "-c", "import time; time.sleep(60)"]
        with self.assertRaisesRegex(WorkerError, "no answer for 0.05 s"):
            Worker(silent, {}, 1, seconds=0.05)

    def test_engines_run_in_turn(self):
        row = self.measure(self.engine("lazynet", "A"), self.engine("pytorch", "B"))
        self.assertEqual(self.log.read_text(), "ABABAB")
        self.assertEqual(row.engines["lazynet"].rounds, [65000] * 3)
        self.assertAlmostEqual(row.ratio("lazynet", "pytorch").median, 66 / 65)
        self.assertEqual(row.engines["pytorch"].memory["peak_resident_bytes"], 5 * 2**20)
        self.assertTrue(row.good)

    def test_a_slow_configuration_has_fewer_rounds(self):
        row = self.measure(self.engine("lazynet", "A"), rounds=50, seconds=0)
        self.assertEqual(len(row.engines["lazynet"].rounds), compare.LEAST_ROUNDS)

    def test_other_outputs_than_pytorchs_are_wrong(self):
        row = self.measure(self.engine("lazynet", "A", "1.1"), self.engine("pytorch", "B", "1"))
        self.assertTrue(row.engines["lazynet"].wrong)
        self.assertFalse(row.engines["pytorch"].wrong)
        self.assertAlmostEqual(row.engines["lazynet"].error, 0.01, places=6)
        self.assertFalse(row.good)

    def test_a_variant_that_is_refused_is_a_note_and_an_engine_that_fails_a_problem(self):
        row = self.measure(self.engine("lazynet", "A"),
                           self.engine("lazynet-bf16", "refuses", variant=True))
        self.assertEqual(row.notes, ["lazynet BF16 is left out: no such precision"])
        self.assertTrue(row.good)
        row = self.measure(self.engine("lazynet", "A"), self.engine("pytorch", "refuses"))
        self.assertEqual(row.problems, ["PyTorch: no such precision"])
        self.assertFalse(row.good)

    def test_threads_come_from_the_flag_alone(self):
        engine = self.engine("lazynet", "A", environment={"MALLOC_ARENA_MAX": "1"})
        with unittest.mock.patch.dict(os.environ, {"OMP_WAIT_POLICY": "active", "A": "b"}):
            variables = engine.variables()
        self.assertNotIn("OMP_WAIT_POLICY", variables)
        self.assertEqual((variables["A"], variables["MALLOC_ARENA_MAX"]), ("b", "1"))
        command = engine.command_line(pathlib.Path("/folder"), 2, ["x=FP32:1:f"])
        self.assertEqual(command[5:], ["/folder/model", "--threads", "2", "--input", "x=FP32:1:f"])


class OptionsTest(unittest.TestCase):
    def test_quick_is_a_set_of_defaults(self):
        _, options = compare.parse(["--quick", "--rounds", "5"])
        self.assertEqual((options.rounds, options.batches), (5, [1]))
        _, options = compare.parse([])
        self.assertEqual((options.rounds, options.batches), (7, [1, 8, 32]))

    def test_engines_are_chosen_by_name(self):
        _, options = compare.parse(["--engines", "pytorch,lazynet"])
        self.assertEqual([one.key for one in options.engines], ["lazynet", "pytorch"])
        for wrong in (["--engines", "magic"], ["--batches", "0"], ["--rounds", "0"]):
            with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit) as ended:
                compare.parse(wrong)
            self.assertEqual(ended.exception.code, 2)

    def test_a_report_is_made_of_json_alone(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            results = results_of(row_of(lazynet=[1e6]), keys=("lazynet",))
            (folder / "old.json").write_text(to_json(results))
            with contextlib.redirect_stdout(io.StringIO()):
                status = compare.main(["--report", str(folder / "old.json"), "--output",
                                       str(folder / "new")])
            self.assertEqual(status, 0)
            self.assertIn("| NET ", (folder / "new/results.md").read_text())
            self.assertEqual(json.loads((folder / "new/results.json").read_text())["rows"][0]
                             ["network"], "net")


if __name__ == "__main__":
    unittest.main()
