from spider.sources.optional_package import OptionalPackage


def test_installed_and_the_command_that_installs() -> None:
    assert OptionalPackage("json", extra="x").installed
    absent = OptionalPackage("no_such_package_here", extra="documents")
    assert not absent.installed
    assert absent.fix == "pip install 'spider-odqa[documents]'"
