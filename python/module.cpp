// headroom._core: the command line inside a Python process.
//
// One door for every verb, present and to come: what Python gets is the document that `--json`
// prints, so the two cannot differ by a bit. The interpreter's lock is let go while a command runs.
// A command runs on a thread of its own, so that the caller's hears Ctrl-C meanwhile: the command
// is asked to stop and KeyboardInterrupt is raised once it has. `Progress` is for callers on other
// threads, which hear no signals: who holds it sees how far a command is, and may stop it.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <future>
#include <memory>
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

using Watch = std::shared_ptr<headroom::Progress>;

headroom::cli::Said run(const std::vector<std::string>& arguments,
                        const std::optional<std::string>& text, const std::string& name,
                        headroom::Progress* progress) {
  std::optional<headroom::spec::TextInput> input;
  if (text) input.emplace(name.empty() ? "<text>" : name, *text);
  return headroom::cli::invoke(arguments, progress);
}

Said invoke(const std::vector<std::string>& arguments, const std::optional<std::string>& text,
            const std::string& name, Watch progress) {
  constexpr auto hear_every = std::chrono::milliseconds(50);
  if (!progress) progress = std::make_shared<headroom::Progress>();
  bool interrupted = false;
  headroom::cli::Said said;
  {
    const py::gil_scoped_release free;
    auto running =
        std::async(std::launch::async, [&] { return run(arguments, text, name, progress.get()); });
    while (running.wait_for(hear_every) != std::future_status::ready) {
      const py::gil_scoped_acquire held;
      if (interrupted || PyErr_CheckSignals() == 0) continue;
      PyErr_Clear();
      interrupted = true;
      progress->ask_stop();
    }
    said = running.get();
  }
  if (interrupted) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw py::error_already_set();
  }
  return {said.status, std::move(said.out), std::move(said.err)};
}

std::tuple<std::string, std::uint64_t, std::uint64_t> now(const headroom::Progress& progress) {
  const auto at = progress.now();
  return {at.stage, at.done, at.total};
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
  py::class_<headroom::Progress, Watch>(m, "Progress")
      .def(py::init<>())
      .def("now", &now)
      .def("ask_stop", &headroom::Progress::ask_stop);
  m.def("invoke", &invoke, py::arg("arguments"), py::arg("text").none(true), py::arg("name"),
        py::arg("progress").none(true) = py::none());
  m.def("page_with", &headroom::report::page_with, py::arg("document"));
  m.def("options", &options, py::arg("verb"));
}
