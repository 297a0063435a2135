// Price: what somebody asked for an accelerator or a system on a day.
//
// Every entry is dated evidence with a term. The same GPU is offered at two to
// four times the price by another provider in the same week, so no single entry
// is "the" price; money picks one by a stated rule and shows the spread.
// An entry without a date is refused.
#pragma once

#include "catalog/catalog.hpp"

namespace headroom::catalog {

/// How the thing is had.
enum class Offer : unsigned char {
  on_demand,  ///< by the hour, ends any time
  reserved,   ///< by the hour for a fixed term, paid whether used or not
  spot,       ///< by the hour, taken away when somebody pays more
  prepaid,    ///< capacity block: fixed dates, paid in advance, cannot be cancelled
  index,      ///< a market average, not an offer
  purchase,   ///< bought
};

/// Who offers it.
enum class Seller : unsigned char { hyperscaler, neocloud, marketplace, market };

struct Price : Entry {
  static constexpr std::string_view kind = "price";

  std::string accelerator;  ///< id of an accelerator; for a system's price what it holds
  std::string system;       ///< id of a system when a whole one is priced
  std::string provider;
  std::string region;
  Offer offer = Offer::on_demand;
  Seller seller = Seller::neocloud;
  std::string as_of;      ///< day of the offer (YYYY-MM-DD)
  Value<MoneyRate> rent;  ///< of one accelerator
  Value<Money> purchase;  ///< of one accelerator, or of one system when `system` is set
  Value<Time> term;       ///< shortest commitment

  void fields(spec::Fields& f);
};

/// Name of an offer as written in catalogue files.
std::string_view offer_name(Offer offer);

}  // namespace headroom::catalog
