"""Question sets in, figures and a report out."""

from evaluation.questions import GoldQuestion, QuestionSetError, load_questions
from evaluation.report import html_report, table
from evaluation.run import Summary, evaluate

__all__ = ["GoldQuestion", "QuestionSetError", "Summary", "evaluate", "html_report", "load_questions", "table"]
