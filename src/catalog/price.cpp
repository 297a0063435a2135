#include "catalog/price.hpp"

#include <array>

namespace headroom::catalog {
namespace {

constexpr std::array<std::string_view, 6> offers{"on_demand", "reserved", "spot",
                                                 "prepaid",   "index",    "purchase"};
constexpr std::array<std::string_view, 4> sellers{"hyperscaler", "neocloud", "marketplace",
                                                  "market"};

}  // namespace

std::string_view offer_name(Offer offer) { return offers[static_cast<std::size_t>(offer)]; }

void Price::fields(spec::Fields& f) {
  entry_fields(f);
  f.text("accelerator", accelerator, "Id of the accelerator that is offered");
  f.text("system", system, "Id of the system when a whole one is priced");
  f.text("provider", provider, "Who asks the price");
  f.text("region", region, "Where it applies; empty where the provider asks it everywhere");
  f.choice("offer", offer, offers, "How the thing is had");
  f.choice("seller", seller, sellers, "What kind of provider it is");
  f.date("as_of", as_of, "Day of the price; a price without one is refused").required();
  f.number("rent", rent, "USD/GPU/h", "Rent of one accelerator").above(0);
  f.number("purchase", purchase, "USD", "Price of one accelerator, or of one system").above(0);
  f.number("term", term, "mo", "Shortest commitment").at_least(0);
  if (rent.given == purchase.given && !id.empty()) {
    f.mistake("rent", "a price is either a rent or a purchase price", "give one of the two");
  }
}

}  // namespace headroom::catalog
