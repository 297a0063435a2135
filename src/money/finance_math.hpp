// Interest arithmetic on plain cash flows.
//
// Flows are in dollars, positive received, negative paid. Rates are fractions
// per period or, where dates are given, per year of 365 days (Actual/365).
//
//   NPV(i)  = sum_t x_t (1 + i)^-t
//   XNPV(r) = sum_k x_k (1 + r)^-(days_k / 365)
//   IRR     the rate at which NPV is zero; flows that change sign more than
//           once can have several, so a caller asks `sign_changes` first
//   MIRR    = (FV of receipts at the reinvestment rate / PV of payments at the
//             finance rate)^(1/n) - 1
//   annuity = P i / (1 - (1 + i)^-n)
//
// Complexity: O(n) a value; roots by bisection, at most 200 values.
// Errors: no root in (-99.99 %, 1e6 %) gives an empty optional.
#pragma once

#include <optional>
#include <span>
#include <string>

namespace headroom::money {

/// (1 + yearly)^(1/12) - 1
double monthly_rate(double yearly);

/// Payment per period that repays `principal` in n periods, less what a
/// residual at the end is worth today: (P - S (1+i)^-n) i / (1 - (1+i)^-n).
/// At i = 0: (P - S) / n.
double capital_recovery(double principal, double residual, double rate, int periods);

double npv(std::span<const double> flows, double rate);
std::optional<double> irr(std::span<const double> flows);
std::optional<double> mirr(std::span<const double> flows, double finance_rate,
                           double reinvestment_rate);
int sign_changes(std::span<const double> flows);

struct DatedFlow {
  long day = 0;  ///< days since 1970-01-01
  double amount = 0;
};
double xnpv(std::span<const DatedFlow> flows, double yearly_rate);
std::optional<double> xirr(std::span<const DatedFlow> flows);

/// Days since 1970-01-01 of YYYY-MM-DD or YYYY-MM; nothing when it is no date.
std::optional<long> day_number(const std::string& date);
/// YYYY-MM-DD of a day number.
std::string date_text(long day);
/// The same day of the month `months` later, the last day where there is none.
long add_months(long day, int months);

}  // namespace headroom::money
