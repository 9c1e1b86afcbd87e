//! The documents of the workspace as tests: the code that they show compiles, and runs where it can.

#[doc = include_str!("../../README.md")]
struct Readme;

#[doc = include_str!("../../docs/guide.md")]
struct Guide;

#[doc = include_str!("../../docs/production.md")]
struct Production;

#[doc = include_str!("../../docs/cookies.md")]
struct Cookies;

#[cfg(feature = "dbsc")]
#[doc = include_str!("../../docs/device-binding.md")]
struct DeviceBinding;

#[doc = include_str!("../../docs/concurrency.md")]
struct Concurrency;

#[doc = include_str!("../../docs/stores.md")]
struct Stores;

#[doc = include_str!("../../docs/new-framework.md")]
struct NewFramework;

#[doc = include_str!("../../docs/migrating/from-store-to-store.md")]
struct FromStoreToStore;

#[doc = include_str!("../../docs/migrating/changing-the-cookie.md")]
struct ChangingTheCookie;

#[doc = include_str!("../../docs/other-layers.md")]
struct OtherLayers;

#[doc = include_str!("../../docs/recipes.md")]
struct Recipes;
