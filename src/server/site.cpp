#include "server/site.hpp"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "api/headroom.hpp"
#include "api/init.hpp"
#include "report/page.hpp"
#include "server/answers.hpp"
#include "server/body.hpp"
#include "server/reports.hpp"
#include "spec/beside.hpp"

namespace headroom::server {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

Answer json_answer(std::string text, int status = 200) {
  return {status, "application/json", std::move(text)};
}

Json job_json(const JobView& job) {
  return {{"id", job.id},       {"verb", job.verb}, {"state", name_of(job.state)},
          {"stage", job.stage}, {"done", job.done}, {"total", job.total}};
}

std::string event(const char* name, const Json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, dumped(data));
}

Answer busy(int seconds) {
  Answer out = refusal(503, "too much is asked for at once; try again");
  out.headers.emplace_back("Retry-After", std::to_string(seconds));
  return out;
}

/// A scenario that is larger than any that people write, or nothing.
std::optional<Answer> too_large(const Body& body, std::size_t most) {
  std::size_t sum = body.text("text").size();
  for (const auto& option : body.list("options")) sum += option.size();
  if (sum <= most) return std::nullopt;
  return refusal(413,
                 fmt::format("the scenario has {} KiB; the page takes {}", sum >> 10, most >> 10),
                 "headroom check FILE takes up to 4 MiB");
}

/// A client's name for a scenario: never a path.
std::string label(const std::string& name) {
  std::string out = name.substr(0, 128);
  for (char& c : out)
    if (c == '/' || c == '\\' || (c >= 0 && c < ' ')) c = '_';
  if (out.empty() || out == "." || out == "..") return "scenario.yaml";
  return out;
}

double millis_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

constexpr const char* locked_page =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>headroom</title>"
    "<meta name=\"viewport\" content=\"width=device-width\">"
    "<body style=\"font:1rem/1.5 sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem\">"
    "<h1>headroom</h1><p>This page needs the token that <code>headroom ui</code> printed when it "
    "started.</p><p>Open the whole address from that terminal once, with its "
    "<code>?token=</code>; the browser then keeps it until it is closed.</p></body></html>\n";

}  // namespace

std::string random_hex(std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) {
    unsigned char byte = 0;
    if (::getrandom(&byte, 1, 0) != 1) throw std::runtime_error("the system gives no random bytes");
    out += fmt::format("{:02x}", byte);
  }
  return out;
}

std::string page_with_nonce(std::string_view page, const std::string& nonce) {
  constexpr std::string_view open = "<script", close = "</script";
  std::string out;
  out.reserve(page.size() + 256);
  for (std::size_t at = 0;;) {
    const std::size_t tag = page.find(open, at);
    if (tag == std::string_view::npos) return out.append(page.substr(at));
    out.append(page.substr(at, tag + open.size() - at)).append(" nonce=\"" + nonce + "\"");
    // What stands inside a script is text, whatever it looks like.
    const std::size_t end = std::min(page.find(close, tag), page.size());
    out.append(page.substr(tag + open.size(), end - tag - open.size()));
    at = end;
  }
}

Site::Site(const Options& options, Door door, int port)
    : options_(options),
      door_(std::move(door)),
      gate_(options.token, options.host, port),
      file_(options.file),
      jobs_(options.limits),
      turns_(options.limits.runs) {}

void Site::ask_stop() {
  ending_.ask_stop();
  jobs_.ask_stop_all();
}

std::string Site::called(const std::string& name) const {
  namespace fs = std::filesystem;
  const fs::path own(file_.path());
  if (!file_.given()) return std::string(spec::nowhere);
  return (own.parent_path() / (name.empty() ? own.filename().string() : label(name))).string();
}

std::optional<Answer> Site::admit(const Ask& ask) const {
  auto refused = gate_.from_elsewhere(ask);
  if (!refused && !(ask.method == "GET" && ask.path == "/") && !gate_.has_token(ask))
    refused = refusal(401, "no token, or a wrong one",
                      "header X-Headroom-Token, or open the address that headroom ui printed");
  if (!refused && ask.method == "POST" && !ask.type.starts_with("application/json"))
    refused = refusal(415, "a body is JSON", "Content-Type: application/json");
  if (refused) secure(*refused, "");
  return refused;
}

Answer Site::answer(Ask& ask) {
  if (ask.path == "/") return page(ask);
  Answer out = dispatch(ask);
  secure(out, "");
  return out;
}

Answer Site::page(const Ask& ask) const {
  Answer out;
  if (ask.method != "GET") {
    out = not_allowed("GET");
  } else if (!ask.query_token.empty() && !gate_.open()) {
    out.type = "text/html";
    out.body = locked_page;
    out.status = gate_.knows(ask.query_token) ? 303 : 401;
    if (out.status == 303) {
      out.body.clear();
      out.headers = {{"Location", "/"}, {"Set-Cookie", gate_.cookie()}};
    }
  } else if (!gate_.has_token(ask)) {
    out = {401, "text/html", locked_page};
  } else {
    const std::string nonce = random_hex(16);
    out = {200, "text/html", page_with_nonce(report::page(), nonce)};
    secure(out, "script-src 'nonce-" + nonce + "'; ");
    return out;
  }
  secure(out, "");
  return out;
}

Answer Site::dispatch(Ask& ask) {
  const std::string& p = ask.path;
  const auto below = [&](std::string_view prefix) { return p.substr(prefix.size()); };
  const auto get = [&](auto&& make) { return ask.method == "GET" ? make() : not_allowed("GET"); };
  const auto post = [&](auto&& make) {
    return ask.method == "POST" ? make() : not_allowed("POST");
  };
  if (p == "/api/start") return get([&] { return start(); });
  if (p == "/api/run") return post([&] { return run(ask); });
  if (p == "/api/report") return post([&] { return report(ask); });
  if (p == "/api/save") return post([&] { return save(ask); });
  if (p == "/api/schema") return get([&] { return json_answer(*api::schema("scenario")); });
  if (p == "/api/catalog") return get([&] { return catalog("", ""); });
  if (p.starts_with("/api/catalog/")) {
    const std::string rest = below("/api/catalog/");
    const auto slash = std::min(rest.find('/'), rest.size());
    const std::string id = slash < rest.size() ? rest.substr(slash + 1) : "";
    return get([&] { return catalog(rest.substr(0, slash), id); });
  }
  if (p.starts_with("/api/template/"))
    return get([&] { return template_of(below("/api/template/")); });
  if (p == "/api/jobs") {
    if (ask.method == "GET") return job_list();
    return ask.method == "POST" ? job_new(ask) : not_allowed("GET, POST");
  }
  if (p.starts_with("/api/jobs/")) return dispatch_jobs(ask, below("/api/jobs/"));
  return refusal(404, "there is nothing here", "docs/ui.md lists the paths");
}

Answer Site::dispatch_jobs(Ask& ask, const std::string& rest) {
  if (rest.ends_with("/events")) {
    if (ask.method != "GET") return not_allowed("GET");
    return job_events(rest.substr(0, rest.size() - 7));
  }
  if (rest.ends_with("/file")) {
    if (ask.method != "GET") return not_allowed("GET");
    return job_file(rest.substr(0, rest.size() - 5));
  }
  if (ask.method == "GET") return job(rest);
  return ask.method == "DELETE" ? job_stop(rest) : not_allowed("GET, DELETE");
}

Answer Site::start() {
  Json out = {{"version", api::version()}};
  Json names = Json::array();
  for (const auto& t : api::templates()) names.push_back(t.name);
  if (file_.given()) {
    const auto text = file_.read();
    if (!text) return refusal(500, text.error());
    out["name"] = std::filesystem::path(file_.path()).filename().string();
    out["text"] = *text;
    out["file"] = file_.path();
    out["stamp"] = stamp_of(*text);
  } else {
    const auto text = api::template_text(options_.sample);
    out["name"] = text ? options_.sample : "";
    out["text"] = text ? *text : "";
    out["file"] = nullptr;
  }
  out["can_save"] = file_.given() && ::access(file_.path().c_str(), W_OK) == 0;
  out["templates"] = std::move(names);
  return json_answer(dumped(out) + "\n");
}

Answer Site::run(Ask& ask) {
  const auto body = Body::read(ask.body, {"verb", "options", "text", "name"});
  if (!body) return refusal(400, body.error());
  if (auto refused = too_large(*body, options_.limits.text_bytes)) return *refused;
  const auto words =
      command(body->text("verb"), body->list("options"), body->has("text"), 1, options_.catalog);
  if (!words) return refusal(400, words.error());
  if (!words->quick) return refusal(400, "this may take long", "POST it to /api/jobs");
  const Turns::Turn turn(turns_, options_.limits.turn);
  if (!turn.got()) return busy(1);
  ask.body = {};
  const auto begin = Clock::now();
  const Said said =
      door_({words->arguments, called(body->text("name")), body->text("text"), &ending_});
  return json_answer(run_json(*words, said, millis_since(begin)));
}

Answer Site::report(Ask& ask) {
  const auto body = Body::read(ask.body, {"text", "name", "format"});
  if (!body) return refusal(400, body.error());
  if (auto refused = too_large(*body, options_.limits.text_bytes)) return *refused;
  const std::string form = body->has("format") ? body->text("format") : "html";
  const auto words = command("report", {"--format", form}, body->has("text"), 1, options_.catalog);
  if (!words) return refusal(400, words.error());
  ask.body = {};
  const Turns::Turn turn(turns_, options_.limits.turn);
  if (!turn.got()) return busy(1);
  const auto made = make_report(*words, report_ask(*body), &ending_);
  if (!made.file) return {422, "application/json", made.result};
  Answer out{200, made.file->type, made.file->bytes};
  out.headers.emplace_back("Content-Disposition",
                           "attachment; filename=\"" + made.file->name + "\"");
  return out;
}

ReportAsk Site::report_ask(const Body& body) const {
  const std::string& name = body.text("name");
  const auto own = std::filesystem::path(file_.path()).filename().string();
  return {called(name), name.empty() ? own : name, body.text("text"),
          options_.limits.report_threads};
}

Answer Site::job_new(Ask& ask) {
  auto body = Body::read(ask.body, {"verb", "options", "text", "name"});
  if (!body) return refusal(400, body.error());
  if (auto refused = too_large(*body, options_.limits.text_bytes)) return *refused;
  auto words = command(body->text("verb"), body->list("options"), body->has("text"),
                       options_.limits.job_threads, options_.catalog);
  if (!words) return refusal(400, words.error());
  ask.body = {};
  const std::size_t bytes = body->text("text").size() + 4096;
  Jobs::Work work;
  if (body->text("verb") == "report")
    work = [words = std::move(*words), asked = report_ask(*body)](Progress& progress) {
      return make_report(words, asked, &progress);
    };
  else
    work = [this, words = std::move(*words), name = called(body->text("name")),
            text = body->text("text")](Progress& progress) {
      const auto begin = Clock::now();
      const Said said = door_({words.arguments, name, text, &progress});
      return Outcome{said.status, run_json(words, said, millis_since(begin))};
    };
  const auto id = jobs_.submit(body->text("verb"), bytes, std::move(work));
  if (!id) return busy(5);
  Answer out = json_answer(dumped(Json{{"id", *id}}) + "\n", 202);
  out.headers.emplace_back("Location", "/api/jobs/" + *id);
  return out;
}

Answer Site::job_list() {
  Json list = Json::array();
  for (const auto& job : jobs_.all()) list.push_back(job_json(job));
  return json_answer(dumped(list) + "\n");
}

Answer Site::job(const std::string& id) {
  const auto found = jobs_.find(id);
  if (!found) return refusal(404, "there is no such job", "results are kept for ten minutes");
  std::string head = dumped(job_json(*found));
  head.pop_back();
  return json_answer(fmt::format("{}, \"result\": {}}}\n", head,
                                 found->outcome ? found->outcome->result : "null"));
}

Answer Site::job_file(const std::string& id) {
  const auto found = jobs_.find(id);
  if (!found || !found->outcome || !found->outcome->file)
    return refusal(404, "there is no such file", "results are kept for ten minutes");
  const JobFile& file = *found->outcome->file;
  return {200,
          file.type,
          file.bytes,
          {{"Content-Disposition", "attachment; filename=\"" + file.name + "\""}}};
}

Answer Site::job_events(const std::string& id) {
  const auto found = jobs_.find(id);
  if (!found) return refusal(404, "there is no such job");
  struct Seen {
    JobState state = JobState::queued;
    std::string text;  ///< last event
    Clock::time_point at = Clock::now();
  };
  Answer out;
  out.type = "text/event-stream";
  out.stream = [this, id, seen = std::make_shared<Seen>()](const Answer::Write& write) {
    const bool first = seen->text.empty();
    const auto now = first ? jobs_.find(id) : jobs_.wait(id, seen->state);
    if (!now) {
      write(event("end", {{"state", "gone"}}));
      return false;
    }
    seen->state = now->state;
    const auto told = event("progress", {{"state", name_of(now->state)},
                                         {"stage", now->stage},
                                         {"done", now->done},
                                         {"total", now->total}});
    if (told != seen->text) {
      seen->text = told;
      seen->at = Clock::now();
      if (!write(told)) return false;
    } else if (Clock::now() - seen->at >= options_.limits.heartbeat) {
      seen->at = Clock::now();
      if (!write(": still here\n\n")) return false;
    }
    if (!ended(now->state)) return true;
    write(event("end", {{"state", name_of(now->state)}}));
    return false;
  };
  return out;
}

Answer Site::job_stop(const std::string& id) {
  const bool asked = jobs_.ask_stop(id);
  const auto now = jobs_.find(id);
  if (!asked || !now) return refusal(404, "there is no such job");
  return json_answer(dumped(job_json(*now)) + "\n");
}

Answer Site::catalog(const std::string& kind, const std::string& id) const {
  const auto text = api::list_catalog(options_.catalog, kind, id, true);
  if (!text) return refusal(404, text.error());
  return json_answer(*text);
}

Answer Site::template_of(const std::string& name) const {
  const auto text = api::template_text(name);
  if (!text) return refusal(404, text.error());
  return json_answer(dumped(Json{{"name", name}, {"text", *text}}) + "\n");
}

Answer Site::save(Ask& ask) {
  const auto body = Body::read(ask.body, {"text", "stamp"});
  if (!body) return refusal(400, body.error());
  if (!file_.given())
    return refusal(404, "there is no file to save to", "headroom ui FILE, or download the text");
  if (!body->has("text")) return refusal(400, "what is to be saved? 'text' is missing");
  switch (file_.write(body->text("text"), body->text("stamp"))) {
    case WorkFile::Saved::yes:
      return json_answer(
          dumped(Json{{"file", file_.path()}, {"stamp", stamp_of(body->text("text"))}}) + "\n");
    case WorkFile::Saved::changed_on_disk:
      return refusal(409, "the file has changed on disk since it was read; nothing was written",
                     "reload it, or download your text");
    case WorkFile::Saved::failed:
      break;
  }
  return refusal(500, file_.path() + " cannot be written; what was there is still there");
}

}  // namespace headroom::server
