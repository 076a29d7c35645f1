"""What the model is told."""

from agent import prompt

ADA = prompt.Sender(name="Ada Okafor", acting_as="ada@brickfield.example")


def test_the_system_prompt_is_short() -> None:
    assert len(prompt.system_prompt(project="sales", notes="", bash=True)) < 3_000


def test_it_names_the_project_and_holds_its_notes() -> None:
    said = prompt.system_prompt(project="sales", notes="- we report in euros\n", bash=False)
    assert "The project is called sales." in said
    assert "<notes>\n- we report in euros\n</notes>" in said


def test_without_notes_there_is_no_place_for_them() -> None:
    assert "<notes>" not in prompt.system_prompt(project="sales", notes=" \n", bash=False)


def test_bash_is_mentioned_only_where_it_is() -> None:
    assert "Bash" in prompt.system_prompt(project="sales", notes="", bash=True)
    assert "Bash" not in prompt.system_prompt(project="sales", notes="", bash=False)


def test_a_message_says_who_speaks_and_as_whom_the_tools_act() -> None:
    said = prompt.message(text="how many orders?", sender=ADA)
    assert said == "Ada Okafor (Databricks user ada@brickfield.example) writes:\n\nhow many orders?"


def test_what_the_thread_said_before_is_quoted_ahead_of_the_message() -> None:
    said = prompt.message(text="so?", sender=ADA, earlier="Ben: revenue fell")
    assert said.index("<thread>\nBen: revenue fell\n</thread>") < said.index("so?")


def test_of_a_long_thread_the_end_is_quoted() -> None:
    said = prompt.message(text="so?", sender=ADA, earlier="old" + "x" * prompt.CONTEXT_LIMIT)
    assert "old" not in said
    assert len(said) < prompt.CONTEXT_LIMIT + 300
