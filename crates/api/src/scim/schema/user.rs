//! Users (RFC 7643, sections 4.1 and 4.3).

use super::table::{binary, boolean, complex, reference, string};
use super::{Attribute, Schema};

pub static USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "User account",
    attributes: &[
        string("userName", "What the user is known by and logs in with, unique without case")
            .required()
            .unique(),
        complex("name", NAME, "The parts of the user's name"),
        string("displayName", "The name that is shown to others"),
        string("nickName", "The casual name"),
        reference("profileUrl", &["external"], "The address of a page about the user"),
        string("title", "The title, such as Vice President"),
        string("userType", "How the user belongs to the organisation, such as Contractor"),
        string("preferredLanguage", "The preferred languages, as in the header Accept-Language"),
        string("locale", "The user's place, for formats of numbers and times"),
        string("timezone", "The time zone, by its IANA name"),
        boolean("active", "Whether the user may act").lasting().absence_means(true),
        string("password", "The password in clear text, to be set").exact().secret(),
        complex(
            "emails",
            &[string("value", "The address"), DISPLAY, TYPE.canonical(&["work", "home", "other"]), PRIMARY],
            "Email addresses",
        )
        .many(),
        complex(
            "phoneNumbers",
            &[
                string("value", "The number"),
                DISPLAY,
                TYPE.canonical(&["work", "home", "mobile", "fax", "pager", "other"]),
                PRIMARY,
            ],
            "Phone numbers",
        )
        .many(),
        complex(
            "ims",
            &[
                string("value", "The address"),
                DISPLAY,
                TYPE.canonical(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
                PRIMARY,
            ],
            "Addresses of instant messengers",
        )
        .many(),
        complex(
            "photos",
            &[
                reference("value", &["external"], "The address of the picture"),
                DISPLAY,
                TYPE.canonical(&["photo", "thumbnail"]),
                PRIMARY,
            ],
            "Pictures of the user",
        )
        .many(),
        complex("addresses", ADDRESS, "Postal addresses").many(),
        complex(
            "groups",
            &[
                string("value", "The id of the group").exact().read_only(),
                reference("$ref", &["Group"], "The address of the group").read_only(),
                string("display", "The name of the group").read_only(),
                string("type", "How the user belongs to the group")
                    .read_only()
                    .canonical(&["direct", "indirect"]),
            ],
            "The groups that the user is in; they are changed through the groups",
        )
        .many()
        .read_only(),
        complex(
            "entitlements",
            &[string("value", "The entitlement"), DISPLAY, TYPE, PRIMARY],
            "What the user is entitled to",
        )
        .many(),
        complex(
            "roles",
            &[
                string("value", "The role").canonical(&["Admin", "Standard", "ReadOnly"]),
                DISPLAY,
                TYPE,
                PRIMARY,
            ],
            "The roles of the user, of which the highest counts",
        )
        .many()
        .lasting(),
        complex(
            "x509Certificates",
            &[binary("value", "The certificate, in DER and base64"), DISPLAY, TYPE, PRIMARY],
            "Certificates of the user",
        )
        .many(),
    ],
};

pub static ENTERPRISE_USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "Enterprise user",
    attributes: &[
        string("employeeNumber", "The number by which the organisation knows the user"),
        string("costCenter", "The cost center"),
        string("organization", "The organisation"),
        string("division", "The division"),
        string("department", "The department"),
        complex(
            "manager",
            &[
                string("value", "The id of the manager").exact(),
                reference("$ref", &["User"], "The address of the manager"),
                string("displayName", "The name of the manager").read_only(),
            ],
            "The manager",
        ),
    ],
};

const NAME: &[Attribute] = &[
    string("formatted", "The whole name, as it is shown"),
    string("familyName", "The family name"),
    string("givenName", "The given name"),
    string("middleName", "The middle names"),
    string("honorificPrefix", "What stands before the name, such as Ms."),
    string("honorificSuffix", "What stands after the name, such as III"),
];

const ADDRESS: &[Attribute] = &[
    string("formatted", "The whole address, as it is written on a letter"),
    string("streetAddress", "Street, house number and what else is below the place"),
    string("locality", "The city or place"),
    string("region", "The state or region"),
    string("postalCode", "The postal code"),
    string("country", "The country, by its code of ISO 3166-1 alpha-2"),
    TYPE.canonical(&["work", "home", "other"]),
    PRIMARY,
];

const DISPLAY: Attribute = string("display", "The value as it is shown to others");
const TYPE: Attribute = string("type", "What the value is used for");
const PRIMARY: Attribute = boolean("primary", "Whether this is the preferred value; at most one is");
