"""The warehouse that answers soonest, unless somebody chose."""

from databricks.sdk.service.sql import EndpointInfo, State

from agent.tools import warehouses


def warehouse(name: str, state: State, *, serverless: bool = False) -> EndpointInfo:
    return EndpointInfo(id=name, name=name, state=state, enable_serverless_compute=serverless)


FOUND = [
    warehouse("stopped classic", State.STOPPED),
    warehouse("deleted", State.DELETED, serverless=True),
    warehouse("deleting", State.DELETING),
    warehouse("running classic", State.RUNNING),
    warehouse("stopped serverless", State.STOPPED, serverless=True),
    warehouse("starting serverless", State.STARTING, serverless=True),
    warehouse("running serverless", State.RUNNING, serverless=True),
]


def names(*preferred: str) -> list[str]:
    return [found.name for found in warehouses.rank(FOUND, preferred)]


def test_the_soonest_to_answer_comes_first_and_deleted_ones_never() -> None:
    assert names() == [
        "running serverless",
        "starting serverless",
        "stopped serverless",
        "running classic",
        "stopped classic",
    ]


def test_a_persons_choice_comes_before_the_workspaces_default() -> None:
    assert names("stopped classic", "running classic")[:2] == ["stopped classic", "running classic"]


def test_a_choice_that_is_gone_changes_nothing() -> None:
    assert names("deleted", "unheard of") == names()
