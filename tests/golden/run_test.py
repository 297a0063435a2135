#!/usr/bin/env python3
"""The golden runner must fail when it should: tests of its comparison."""
import unittest

import run


class Compare(unittest.TestCase):
    def same(self, a, b, tolerance=1e-6, masks=()):
        return run.compare(a, b, tolerance, masks) == []

    def test_numbers_within_tolerance(self):
        self.assertTrue(self.same("need 40.8 kW", "need 40.8000001 kW"))
        self.assertFalse(self.same("need 40.8 kW", "need 40.9 kW"))
        self.assertTrue(self.same("need 40.8 kW", "need 40.9 kW", 0.01))
        self.assertTrue(self.same("1,000.5 kW", "1000.5 kW"))
        self.assertFalse(self.same("off by 1e-9", "off by 1e-7"))
        self.assertFalse(self.same("-75 %", "75 %"))
        self.assertFalse(self.same("0 kW", "0.1 kW"))

    def test_zero_tolerance_shows_residuals(self):
        self.assertTrue(run.compare("1.0000001", "1.0", 0, ()))
        self.assertEqual(run.compare("1.0", "1.0", 0, ()), [])

    def test_words(self):
        self.assertTrue(self.same("rack  feed   10 kW", "rack feed 10 kW"))
        self.assertFalse(self.same("rack feed 10 kW", "rack feed 10 MW"))
        self.assertFalse(self.same("a\nb", "a"))
        self.assertFalse(self.same("", "a"))

    def test_masks(self):
        self.assertTrue(self.same("off by 1.2e-16", "off by 0.0e+00", masks=[r"off by \S+"]))

    def test_selection(self):
        text = '{"margins": [{"id": "a", "need": {"value": 1}}, {"id": "b"}], "x": 1}'
        self.assertEqual(run.selected(text, ["margins.*.id", "margins.*.need"]),
                         'margins.0.id = "a"\nmargins.0.need.value = 1\nmargins.1.id = "b"\n')


if __name__ == "__main__":
    unittest.main()
