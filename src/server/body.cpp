#include "server/body.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace headroom::server {

namespace {
constexpr std::size_t most_items = 4096;  // of a list
}

/// Takes nlohmann's events.
class BodyReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  BodyReader(Body& body, std::initializer_list<std::string_view> known)
      : body_(body), known_(known.begin(), known.end()) {}

  Diagnostic mistake;

  bool null() override { return inside_list_ || !in_object_ ? wrong("null") : true; }  // left out
  bool boolean(bool value) override {
    if (inside_list_ || !in_object_) return wrong("a truth");
    body_.truths_[key_] = value;
    return true;
  }
  bool number_integer(number_integer_t) override { return wrong("a number"); }
  bool number_unsigned(number_unsigned_t) override { return wrong("a number"); }
  bool number_float(number_float_t, const string_t&) override { return wrong("a number"); }
  bool binary(binary_t&) override { return wrong("binary data"); }
  bool string(string_t& value) override {
    if (!in_object_) return wrong("a text");
    if (!inside_list_) {
      body_.texts_[key_] = std::move(value);
      return true;
    }
    auto& list = body_.lists_[key_];
    if (list.size() >= most_items) return fail("'" + key_ + "' has over 4096 items", "");
    list.push_back(std::move(value));
    return true;
  }
  bool start_object(std::size_t) override {
    if (in_object_) return wrong("an object");
    return in_object_ = true;
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override {
    if (!in_object_ || inside_list_) return wrong("a list");
    body_.lists_[key_];
    return inside_list_ = true;
  }
  bool end_array() override {
    inside_list_ = false;
    return true;
  }
  bool key(string_t& name) override {
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      std::string hint = did_you_mean(name.substr(0, 64), known_);
      if (hint.empty())
        for (const auto& k : known_) hint += (hint.empty() ? "there are: " : ", ") + k;
      return fail("there is no member '" + name.substr(0, 64) + "'", hint);
    }
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end())
      return fail("the member '" + name + "' stands twice", "");
    seen_.push_back(name);
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string&,
                   const nlohmann::detail::exception&) override {
    return fail("not valid JSON at byte " + std::to_string(at), "");
  }

 private:
  bool wrong(const std::string& what) {
    return fail(what + (key_.empty() ? " cannot stand here" : " cannot stand at '" + key_ + "'"),
                "an object of texts, truths and lists of texts");
  }
  bool fail(std::string message, std::string hint) {
    mistake = {"body", 0, 0, key_, std::move(message), std::move(hint), ""};
    return false;
  }

  Body& body_;
  const std::vector<std::string> known_;
  std::vector<std::string> seen_;
  std::string key_;
  bool in_object_ = false, inside_list_ = false;
};

Result<Body> Body::read(std::string_view json, std::initializer_list<std::string_view> known) {
  Body body;
  BodyReader reader(body, known);
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reader))
    return failure(std::move(reader.mistake));
  return body;
}

const std::string& Body::text(const std::string& name) const {
  static const std::string none;
  const auto at = texts_.find(name);
  return at == texts_.end() ? none : at->second;
}

bool Body::yes(const std::string& name) const {
  const auto at = truths_.find(name);
  return at != truths_.end() && at->second;
}

const std::vector<std::string>& Body::list(const std::string& name) const {
  static const std::vector<std::string> none;
  const auto at = lists_.find(name);
  return at == lists_.end() ? none : at->second;
}

}  // namespace headroom::server
