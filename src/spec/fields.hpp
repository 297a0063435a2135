// Fields: one field list per struct.
//
// A struct that can stand in a YAML file describes its fields once:
//
//   struct Rack {
//     Value<Power> feed;
//     int units = 42;
//     std::string note;
//
//     void fields(spec::Fields& f) {
//       f.number("feed", feed, "kW", "Power one feed can carry continuously").at_least(0);
//       f.integer("units", units, "Rack units (height)").between(1, 70);
//       f.text("note", note, "Anything worth remembering");
//     }
//   };
//
// and that list drives the YAML reader (line:column, every mistake in one pass,
// did-you-mean, unit and range errors), the YAML and JSON writers, the JSON
// Schema, the reference pages and, later, forms and Python. Defaults are the
// member initialisers; a Value left unset means "the layer or the catalogue
// decides", and the doc text says how.
//
// The visitor is a small virtual interface rather than templates, so a field
// list costs a few milliseconds to compile.
//
// Documentation strings are one sentence without a full stop, and say what the
// default is when the field is left out. Keys are lower_snake.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.hpp"

namespace headroom::spec {

class Fields;

/// The Temperature a `temperature` field holds.
inline Temperature absolute(const Value<TemperatureDifference>& v) {
  return Temperature::from_si(v.get().si());
}

/// What is said of a field beside its type. Returned by every method of Fields
/// so that constraints read as a sentence; they are applied when the returned
/// object dies, at the end of the statement.
struct Info {
  std::string_view key;
  std::string_view unit;  ///< display unit of a number
  std::string_view doc;
  bool is_required = false;
  double low = 0, high = 1e300;  ///< in the display unit; nothing is negative unless it says so
  bool low_open = false;         ///< strictly above `low`
};

/// A type-erased struct with a field list.
struct ObjectRef {
  void* object = nullptr;
  void (*describe)(void*, Fields&) = nullptr;
};

template <class T>
ObjectRef object_ref(T& t) {
  return {&t, [](void* p, Fields& f) { static_cast<T*>(p)->fields(f); }};
}

/// A type-erased list of structs.
struct ListRef {
  void* list = nullptr;
  std::size_t (*size)(void*) = nullptr;
  ObjectRef (*append)(void*) = nullptr;
  ObjectRef (*at)(void*, std::size_t) = nullptr;
  ObjectRef (*prototype)() = nullptr;  ///< a default element, for schema and docs
};

/// "3 x 500 kW": a number of equal units.
template <class Q>
struct Bank {
  int count = 0;
  Value<Q> each;
  explicit operator bool() const { return each.given; }
};

/// Field constraints under construction; see Info.
class Constraint {
 public:
  Constraint(Fields* fields, void* slot, Info info, void (*apply)(Fields&, void*, const Info&))
      : fields_(fields), slot_(slot), info_(info), apply_(apply) {}
  Constraint(const Constraint&) = delete;
  Constraint& operator=(const Constraint&) = delete;
  ~Constraint() { apply_(*fields_, slot_, info_); }

  Constraint& required() {
    info_.is_required = true;
    return *this;
  }
  /// Bounds in the display unit.
  Constraint& at_least(double low) {
    info_.low = low;
    return *this;
  }
  Constraint& above(double low) {
    info_.low = low;
    info_.low_open = true;
    return *this;
  }
  Constraint& at_most(double high) {
    info_.high = high;
    return *this;
  }
  Constraint& between(double low, double high) {
    info_.low = low;
    info_.high = high;
    return *this;
  }

 private:
  Fields* fields_;
  void* slot_;
  Info info_;
  void (*apply_)(Fields&, void*, const Info&);
};

class Fields {
 public:
  virtual ~Fields() = default;

  /// A quantity with a display unit, e.g. "kW". In input the unit is compulsory
  /// (any unit of the same dimension) unless the display unit is a pure count.
  template <class Q>
  Constraint number(std::string_view key, Value<Q>& v, std::string_view unit,
                    std::string_view doc) {
    struct Apply {
      static void run(Fields& f, void* slot, const Info& info) {
        f.on_number(info, *static_cast<Value<Q>*>(slot), Q::dim, false);
      }
    };
    return {this, &v, {key, unit, doc}, &Apply::run};
  }
  /// An absolute temperature ("22 degC", "72 degF"), held as kelvins above zero;
  /// `absolute(value)` gives the Temperature.
  Constraint temperature(std::string_view key, Value<TemperatureDifference>& kelvin_value,
                         std::string_view doc) {
    struct Apply {
      static void run(Fields& f, void* slot, const Info& info) {
        f.on_number(info, *static_cast<Number*>(static_cast<Value<TemperatureDifference>*>(slot)),
                    TemperatureDifference::dim, true);
      }
    };
    return {this, &kelvin_value, {key, "degC", doc, false, -273.15}, &Apply::run};
  }
  /// "3 x 500 kW", or "500 kW" for one.
  template <class Q>
  Constraint bank(std::string_view key, Bank<Q>& b, std::string_view unit, std::string_view doc) {
    struct Apply {
      static void run(Fields& f, void* slot, const Info& info) {
        auto& bank_value = *static_cast<Bank<Q>*>(slot);
        f.on_bank(info, bank_value.count, bank_value.each, Q::dim);
      }
    };
    return {this, &b, {key, unit, doc}, &Apply::run};
  }
  Constraint integer(std::string_view key, int& v, std::string_view doc) {
    return {this, &v, {key, "", doc}, [](Fields& f, void* slot, const Info& info) {
              f.on_integer(info, *static_cast<int*>(slot));
            }};
  }
  Constraint flag(std::string_view key, bool& v, std::string_view doc) {
    return {this, &v, {key, "", doc}, [](Fields& f, void* slot, const Info& info) {
              f.on_flag(info, *static_cast<bool*>(slot));
            }};
  }
  Constraint text(std::string_view key, std::string& v, std::string_view doc) {
    return {this, &v, {key, "", doc}, [](Fields& f, void* slot, const Info& info) {
              f.on_text(info, *static_cast<std::string*>(slot));
            }};
  }
  Constraint texts(std::string_view key, std::vector<std::string>& v, std::string_view doc) {
    return {this, &v, {key, "", doc}, [](Fields& f, void* slot, const Info& info) {
              f.on_texts(info, *static_cast<std::vector<std::string>*>(slot));
            }};
  }
  /// A calendar date, YYYY-MM-DD (YYYY-MM means its first day).
  Constraint date(std::string_view key, std::string& v, std::string_view doc) {
    return {this, &v, {key, "", doc}, [](Fields& f, void* slot, const Info& info) {
              f.on_date(info, *static_cast<std::string*>(slot));
            }};
  }
  /// One of a few names; `names[i]` stands for the enumerator of value i.
  template <class E>
  void choice(std::string_view key, E& v, std::span<const std::string_view> names,
              std::string_view doc) {
    int index = static_cast<int>(v);
    on_choice({key, "", doc}, index, names);
    v = static_cast<E>(index);
  }
  /// The id of a catalogue entry of `kind`; empty when not given.
  Constraint reference(std::string_view key, std::string& id, std::string_view kind,
                       std::string_view doc) {
    // The kind travels in the unit's place: a reference has no unit.
    return {this, &id, {key, kind, doc}, [](Fields& f, void* slot, const Info& info) {
              f.on_reference(info, *static_cast<std::string*>(slot), info.unit);
            }};
  }
  /// A nested struct. An absent optional stays empty.
  template <class T>
  void object(std::string_view key, T& t, std::string_view doc) {
    on_object({key, "", doc}, object_ref(t));
  }
  template <class T>
  void object(std::string_view key, std::optional<T>& t, std::string_view doc) {
    struct Make {
      static ObjectRef run(void* slot) {
        auto& o = *static_cast<std::optional<T>*>(slot);
        if (!o) o.emplace();
        return object_ref(*o);
      }
    };
    on_optional_object({key, "", doc}, &t, t.has_value(), &Make::run, [] {
      static T prototype{};
      return object_ref(prototype);
    });
  }
  /// A list of structs.
  template <class T>
  void list(std::string_view key, std::vector<T>& v, std::string_view doc) {
    on_list(
        {key, "", doc},
        {&v, [](void* p) { return static_cast<std::vector<T>*>(p)->size(); },
         [](void* p) { return object_ref(static_cast<std::vector<T>*>(p)->emplace_back()); },
         [](void* p, std::size_t i) { return object_ref((*static_cast<std::vector<T>*>(p))[i]); },
         [] {
           static T prototype{};
           return object_ref(prototype);
         }});
  }
  /// The struct may also be written as a bare scalar, which then is this field:
  /// `generator: 2 MW` for `generator: {capacity: 2 MW}`. Call first.
  virtual void shorthand(std::string_view key) { (void)key; }
  /// A map of the document that is read by other means (`sources`).
  virtual void elsewhere(std::string_view key, std::string_view doc) { (void)key, (void)doc; }
  /// Fields that belong to one kind only:
  ///   if (f.variant("train", kind == Kind::train)) train.fields(f);
  /// A reader or writer answers `active`; schema and docs visit every variant.
  virtual bool variant(std::string_view name, bool active) {
    (void)name;
    return active;
  }
  /// Where the object being read stands ("clusters[0]" at line 12), so that a
  /// struct can keep it for later messages. Empty outside of reading.
  virtual Origin here() const { return {}; }
  /// A rule that spans several fields was broken. Ignored outside of reading.
  virtual void mistake(std::string_view key, std::string message, std::string hint = {}) {
    (void)key, (void)message, (void)hint;
  }

 protected:
  virtual void on_number(const Info&, Number&, Dim, bool absolute_temperature) = 0;
  virtual void on_bank(const Info&, int& count, Number& each, Dim) = 0;
  virtual void on_integer(const Info&, int&) = 0;
  virtual void on_flag(const Info&, bool&) = 0;
  virtual void on_text(const Info&, std::string&) = 0;
  virtual void on_texts(const Info&, std::vector<std::string>&) = 0;
  virtual void on_date(const Info&, std::string&) = 0;
  virtual void on_choice(const Info&, int& index, std::span<const std::string_view> names) = 0;
  virtual void on_reference(const Info&, std::string& id, std::string_view kind) = 0;
  virtual void on_object(const Info&, ObjectRef) = 0;
  virtual void on_optional_object(const Info&, void* slot, bool present, ObjectRef (*make)(void*),
                                  ObjectRef (*prototype)()) = 0;
  virtual void on_list(const Info&, ListRef) = 0;
};

}  // namespace headroom::spec
