"""headroom: what your AI infrastructure can carry, and which limit breaks first.

    import headroom as hr

    s = hr.load("scenarios/llama3-405b.yaml")
    r = s.check()
    r.fits, r.binding            # the verdict, and the limit with the least headroom
    r.margins                    # every limit: a pandas DataFrame when pandas is there
    r.explain("money.capital")   # how a figure came to be, down to its sources

    hr.train(model="llama-3.1-405b", system="dgx-h100", gpus=16384).best
    hr.infer(model="llama-3.1-70b", system="dgx-h100", rate="20/s", slo_tpot="50ms").chosen
    hr.facility(s).year.pue
    s.report("report.html")      # everything in one page; in a notebook it shows itself
    hr.sweep(s, {"clusters.gpu.count": [1024, 2048]}, lambda s: s.check().binding.headroom)

Every answer is the one the command line gives, to the last bit: the same library runs inside this
process, without the interpreter's lock, and an answer is the document that `--json` prints. An
option is a keyword with the name the command line has (`--slo-ttft 1s` is `slo_ttft="1s"`);
`hr.options("infer")` lists them. Mistakes in the input raise `InputError` with every mistake's
file, line and column.
"""

from ._calls import Option, catalog, claims, explain, facility, infer, options, replay, report
from ._calls import schema, train, validate, version
from ._errors import InputError, Mistake
from ._quantity import Quantity, units, use_units
from ._report import Report
from ._results import (Answer, Check, FacilityAnswer, InferAnswer, Margin, ReplayAnswer,
                       TrainAnswer)
from ._scenario import Scenario, load, loads
from ._sweep import Cancelled, sweep
from ._table import Table

__version__ = version().split()[-1]

__all__ = [
    "Answer", "Cancelled", "Check", "FacilityAnswer", "InferAnswer", "InputError", "Margin",
    "Mistake", "Option", "Quantity", "ReplayAnswer", "Report", "Scenario", "Table", "TrainAnswer",
    "catalog", "claims", "explain", "facility", "infer", "load", "loads", "options", "replay",
    "report", "schema", "sweep", "train", "units", "use_units", "validate", "version",
]
