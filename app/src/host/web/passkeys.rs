//! Passkeys in the browser (WebAuthn Level 3): its own reading and writing of JSON where it has them, else the same by hand.

use crate::host::{PasskeyTrouble, Secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = PublicKeyCredential)]
    type Credential;

    #[wasm_bindgen(catch, static_method_of = Credential, js_class = PublicKeyCredential, js_name = parseCreationOptionsFromJSON)]
    fn parse_creation(options: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, static_method_of = Credential, js_class = PublicKeyCredential, js_name = parseRequestOptionsFromJSON)]
    fn parse_request(options: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, method, js_class = PublicKeyCredential, js_name = toJSON)]
    fn to_json(this: &Credential) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "credentials"], js_name = create)]
    fn create(options: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "credentials"], js_name = get)]
    fn get(options: &JsValue) -> Result<Promise, JsValue>;
}

/// Whether this browser can have any for this page.
pub(crate) fn has_passkeys() -> bool {
    web_sys::window().is_some_and(|window| {
        let has = |of: &JsValue, name: &str| {
            Reflect::get(of, &name.into()).is_ok_and(|found| !found.is_undefined() && !found.is_null())
        };
        window.is_secure_context()
            && has(&window, "PublicKeyCredential")
            && has(&window.navigator(), "credentials")
    })
}

/// Makes one. `options` are those of `navigator.credentials.create()` as JSON; so is what comes back.
pub(crate) async fn make_passkey(options: &str) -> Result<Secret, PasskeyTrouble> {
    exchange(options, Credential::parse_creation, create).await
}

/// Signs with one that the person chooses. `options` are those of `navigator.credentials.get()` as JSON; so is what comes
/// back.
pub(crate) async fn show_passkey(options: &str) -> Result<Secret, PasskeyTrouble> {
    exchange(options, Credential::parse_request, get).await
}

async fn exchange(
    options: &str,
    parse: fn(&JsValue) -> Result<JsValue, JsValue>,
    ask: fn(&JsValue) -> Result<Promise, JsValue>,
) -> Result<Secret, PasskeyTrouble> {
    let given = async {
        let options = js_sys::JSON::parse(options)?;
        let asked = Reflect::get(&options, &PUBLIC_KEY.into())?;
        let parsed = parse(&asked).or_else(|_| parse_by_hand(&asked))?;
        Reflect::set(&options, &PUBLIC_KEY.into(), &parsed)?;
        let credential: Credential = JsFuture::from(ask(&options)?).await?.unchecked_into();
        let written = credential.to_json().or_else(|_| write_by_hand(&credential))?;
        js_sys::JSON::stringify(&written)
    };
    match given.await {
        Ok(text) => Ok(Secret::from(String::from(text))),
        Err(error) => Err(trouble(&error)),
    }
}

const PUBLIC_KEY: &str = "publicKey";

/// WebAuthn Level 3, 5.1.3 and 5.1.4: by name alone, so that a person who says no cannot be told from one who has none.
fn trouble(error: &JsValue) -> PasskeyTrouble {
    let name = Reflect::get(error, &"name".into())
        .ok()
        .and_then(|name| name.as_string());
    match name.as_deref() {
        Some("NotAllowedError" | "AbortError") => PasskeyTrouble::GivenUp,
        Some("InvalidStateError") => PasskeyTrouble::HereAlready,
        _ => PasskeyTrouble::NotHere,
    }
}

fn bytes_at(of: &JsValue, key: &str) -> Result<(), JsValue> {
    let text = Reflect::get(of, &key.into())?;
    let Some(text) = text.as_string() else {
        return Ok(());
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| JsValue::from(error.to_string()))?;
    Reflect::set(of, &key.into(), &Uint8Array::from(bytes.as_slice())).map(drop)
}

/// What is bytes in the options comes as base64url.
fn parse_by_hand(options: &JsValue) -> Result<JsValue, JsValue> {
    bytes_at(options, "challenge")?;
    let user = Reflect::get(options, &"user".into())?;
    if user.is_object() {
        bytes_at(&user, "id")?;
    }
    for list in ["excludeCredentials", "allowCredentials"] {
        let list = Reflect::get(options, &list.into())?;
        for one in list.dyn_ref::<Array>().into_iter().flat_map(Array::iter) {
            bytes_at(&one, "id")?;
        }
    }
    Ok(options.clone())
}

fn write_by_hand(credential: &Credential) -> Result<JsValue, JsValue> {
    let text = |of: &JsValue, key: &str| -> Result<JsValue, JsValue> {
        let bytes = Reflect::get(of, &key.into())?;
        if bytes.is_undefined() || bytes.is_null() {
            return Ok(JsValue::UNDEFINED);
        }
        Ok(URL_SAFE_NO_PAD.encode(Uint8Array::new(&bytes).to_vec()).into())
    };
    let from = Reflect::get(credential, &"response".into())?;
    let response = Object::new();
    for key in [
        "clientDataJSON",
        "attestationObject",
        "authenticatorData",
        "signature",
        "userHandle",
    ] {
        Reflect::set(&response, &key.into(), &text(&from, key)?)?;
    }
    let written = Object::new();
    for (key, value) in [
        ("id", Reflect::get(credential, &"id".into())?),
        ("rawId", text(credential, "rawId")?),
        ("type", "public-key".into()),
        ("response", response.into()),
        ("extensions", Object::new().into()),
    ] {
        Reflect::set(&written, &key.into(), &value)?;
    }
    Ok(written.into())
}
