#include "supply/mix.hpp"

#include <algorithm>
#include <vector>

#include "supply/dispatch.hpp"

namespace headroom::supply {
namespace {

/// Energy with what it carries along.
struct Parcel {
  double mwh = 0, carbon_kg = 0, clean_mwh = 0, renewable_mwh = 0;
  void add(const Parcel& o) {
    mwh += o.mwh, carbon_kg += o.carbon_kg, clean_mwh += o.clean_mwh;
    renewable_mwh += o.renewable_mwh;
  }
  /// The same mix, another amount of it; nothing when there is none.
  Parcel part(double amount) const {
    if (mwh <= 0) return {amount, 0, 0, 0};
    const double f = amount / mwh;
    return {amount, carbon_kg * f, clean_mwh * f, renewable_mwh * f};
  }
  /// Energy is lost, carbon is not.
  void lose(double keep) { mwh *= keep, clean_mwh *= keep, renewable_mwh *= keep; }
  /// So much of the content, of which `keep` arrives.
  Parcel take(double amount, double keep) {
    const double share = mwh > 0 ? std::min(1.0, amount / mwh) : 0;
    Parcel out{amount, carbon_kg * share, clean_mwh * share, renewable_mwh * share};
    mwh = std::max(0.0, mwh - amount);
    carbon_kg -= out.carbon_kg, clean_mwh -= out.clean_mwh, renewable_mwh -= out.renewable_mwh;
    out.lose(keep);
    return out;
  }
};

double at(const std::vector<double>& v, std::size_t h) { return v.size() == 1 ? v[0] : v[h]; }

}  // namespace

void mix(const Problem& p, Dispatch& d) {
  const std::size_t hours = p.load_mw.size();
  std::vector<Parcel> stores(p.storages.size());
  for (std::size_t b = 0; b < stores.size() && hours > 0; ++b)
    stores[b].mwh = d.storages[b].charge_mwh[hours - 1];
  Parcel year;
  for (int pass = 0; pass < 3; ++pass) {
    year = {};
    d.carbon_kg.assign(hours, 0), d.clean.assign(hours, 0);
    for (std::size_t h = 0; h < hours; ++h) {
      Parcel bus;
      double charged = 0;
      for (std::size_t s = 0; s < p.sources.size(); ++s) {
        const double g = d.sources[s].used_mw[h];
        bus.add({g, g * at(p.sources[s].carbon_kg_mwh, h), g * at(p.sources[s].clean, h),
                 g * p.sources[s].renewable});
      }
      for (std::size_t b = 0; b < stores.size(); ++b) {
        charged += d.storages[b].in_mw[h];
        stores[b].lose(p.storages[b].keep);
        bus.add(stores[b].take(d.storages[b].out_mw[h] / p.storages[b].out, p.storages[b].out));
      }
      for (std::size_t b = 0; b < stores.size(); ++b) {
        Parcel in = bus.part(d.storages[b].in_mw[h]);
        in.lose(p.storages[b].in);
        stores[b].add(in);
      }
      const double left = std::max(0.0, bus.mwh - charged);
      Parcel load = bus.part(left);
      load.lose(left > 0 ? std::max(0.0, left - d.spill_mw[h]) / left : 1);
      d.carbon_kg[h] = load.carbon_kg;
      d.clean[h] = load.mwh > 0 ? load.clean_mwh / load.mwh : 0;
      year.add(load);
    }
  }
  d.served_mwh = year.mwh;
  d.clean_share = year.mwh > 0 ? year.clean_mwh / year.mwh : 0;
  d.renewable_share = year.mwh > 0 ? year.renewable_mwh / year.mwh : 0;
}

}  // namespace headroom::supply
