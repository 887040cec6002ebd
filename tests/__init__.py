"""The tests of credhelpers: unit, conformance, integration and end to end."""
