// headroom._core: the command line inside a Python process.
//
// One door for every verb, present and to come: what Python gets is the document that `--json`
// prints, so the two cannot differ by a bit. The interpreter's lock is let go while a command runs.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "cli.hpp"
#include "report/page.hpp"
#include "spec/node.hpp"

namespace py = pybind11;

namespace {

using Said = std::tuple<int, std::string, std::string>;

Said invoke(const std::vector<std::string>& arguments, const std::optional<std::string>& text,
            const std::string& name) {
  const py::gil_scoped_release free;
  std::optional<headroom::spec::TextInput> input;
  if (text) input.emplace(name.empty() ? "<text>" : name, *text);
  headroom::cli::Said said = headroom::cli::invoke(arguments);
  return {said.status, std::move(said.out), std::move(said.err)};
}

std::vector<std::tuple<std::string, std::string, bool, bool>> options(
    const std::vector<std::string>& verb) {
  std::vector<std::tuple<std::string, std::string, bool, bool>> out;
  for (auto& o : headroom::cli::options_of(verb))
    out.emplace_back(std::move(o.name), std::move(o.doc), o.takes_value, o.repeats);
  return out;
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  m.doc() = "The headroom library; use the package `headroom`.";
  m.def("invoke", &invoke, py::arg("arguments"), py::arg("text").none(true), py::arg("name"));
  m.def("page_with", &headroom::report::page_with, py::arg("document"));
  m.def("options", &options, py::arg("verb"));
}
