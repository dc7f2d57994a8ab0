"""Daily forecasts for shops: load and check sales, judge models on past evenings, publish, watch, retrain, go back.

    import mlworkbook as mw

    history = mw.load_sales("sales.csv", columns={"fecha": "ds", "tienda": "unique_id", "unidades": "y"}, horizon=14)
    board = mw.leaderboard(history, 14, mw.UnitCosts(over_eur=0.25, under_eur=0.50))
    mw.train(history, board.winner, name="shop", board=board)
    mw.publish("shop", history)

Every name is loaded when it is asked for, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:  # what an editor and a type checker see
    from .backtesting import backtest as backtest
    from .baselines import seasonal_naive as seasonal_naive
    from .contract import check_history as check_history
    from .decisions import Agreed as Agreed
    from .decisions import rollback as rollback
    from .evaluation import leaderboard as leaderboard
    from .forecaster import Forecaster as Forecaster
    from .forecaster import Params as Params
    from .forecaster import prophet_forecast as prophet_forecast
    from .metrics import score as score
    from .ops.errors import DataError as DataError
    from .ops.errors import Refused as Refused
    from .pipeline import promote as promote
    from .pipeline import retrain as retrain
    from .pipeline import train as train
    from .publishing import publish as publish
    from .recipes import Recipe as Recipe
    from .recipes import default_recipes as default_recipes
    from .sales import load_sales as load_sales
    from .solver import solver_forecast as solver_forecast
    from .trees import boosting as boosting
    from .value import UnitCosts as UnitCosts
    from .value import error_cost as error_cost
    from .watching import watch as watch

__all__ = [
    "Agreed",
    "DataError",
    "Forecaster",
    "Params",
    "Recipe",
    "Refused",
    "UnitCosts",
    "backtest",
    "boosting",
    "check_history",
    "default_recipes",
    "error_cost",
    "leaderboard",
    "load_sales",
    "promote",
    "prophet_forecast",
    "publish",
    "retrain",
    "rollback",
    "score",
    "seasonal_naive",
    "solver_forecast",
    "train",
    "watch",
]

_HOMES = {
    "backtesting": ("backtest",),
    "baselines": ("seasonal_naive",),
    "contract": ("check_history",),
    "decisions": ("Agreed", "rollback"),
    "evaluation": ("leaderboard",),
    "forecaster": ("Forecaster", "Params", "prophet_forecast"),
    "metrics": ("score",),
    "ops.errors": ("DataError", "Refused"),
    "pipeline": ("promote", "retrain", "train"),
    "publishing": ("publish",),
    "recipes": ("Recipe", "default_recipes"),
    "sales": ("load_sales",),
    "solver": ("solver_forecast",),
    "trees": ("boosting",),
    "value": ("UnitCosts", "error_cost"),
    "watching": ("watch",),
}

if not TYPE_CHECKING:  # a type checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        home = next((module for module, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; dir(mlworkbook) shows those it has")
        from .ops.errors import extras

        with extras():
            return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
