// Any text as a number with a unit, a bank, a date or a sourced value.
#include <cmath>

#include "base/units.hpp"
#include "fuzz/fuzz.hpp"
#include "spec/number_text.hpp"
#include "spec/reader.hpp"

namespace {

using headroom::Dim;

void read_as(const std::string& text, Dim dim, bool absolute, const char* unit) {
  double si = 0;
  std::string message;
  std::string hint;
  if (headroom::spec::read_number(text, dim, absolute, unit, si, message, hint)) {
    fuzz::require(std::isfinite(si), "a number that was read is finite");
    (void)headroom::format(si, unit);
    (void)headroom::format_scaled(si, unit);
  } else {
    fuzz::require(!message.empty(), "a refused number has a reason");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  if (const auto split = headroom::split_number(text)) {
    fuzz::require(std::isfinite(split->number), "a split number is finite");
    (void)headroom::parse_unit(split->unit);
  }
  (void)headroom::parse_unit(text);
  read_as(text, headroom::Power::dim, false, "kW");
  read_as(text, headroom::Information::dim, false, "GB");
  read_as(text, headroom::EnergyPrice::dim, false, "USD/kWh");
  read_as(text, headroom::TemperatureDifference::dim, true, "degC");
  read_as(text, Dim{}, false, "%");
  const auto sourced = headroom::spec::strip_source(text);
  read_as(sourced.text, headroom::Power::dim, false, "kW");
  const auto bank = headroom::spec::split_bank(text);
  fuzz::require(bank.count >= 0, "a bank counts its units");
  read_as(bank.rating, headroom::Power::dim, false, "kW");
  (void)headroom::spec::is_date(text);
  fuzz::require(headroom::spec::shown(text).size() <= 63, "what is shown is short");
  return 0;
}
