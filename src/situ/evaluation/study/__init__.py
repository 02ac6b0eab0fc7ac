"""A blind study of two pictures side by side: built as one page, answered offline, analysed here.

design says who sees what, page makes it a file, answers reads what comes back, and analysis with
bradley_terry and agreement turns it into numbers that chart draws.
"""

from situ.evaluation.study.analysis import Result, analyse
from situ.evaluation.study.answers import Judgement, Rule, collect, read_answers, write_csv
from situ.evaluation.study.chart import chart
from situ.evaluation.study.design import Design, Study, assign
from situ.evaluation.study.page import page

__all__ = [
    "Design",
    "Judgement",
    "Result",
    "Rule",
    "Study",
    "analyse",
    "assign",
    "chart",
    "collect",
    "page",
    "read_answers",
    "write_csv",
]
