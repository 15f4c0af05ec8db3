"""Turn the retailer's till names into names that a reader understands.

Categories have a hand-made map (``category_labels.csv``). Product types, eight times as many,
go through rules: only abbreviations whose reading is certain are written out, the rest stays.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

LABEL_FILE = Path(__file__).with_name("category_labels.csv")

DEPARTMENT_LABEL = {
    "AUTOMOTIVE": "Automotive",
    "CHARITABLE CONT": "Charity",
    "CHEF SHOPPE": "Ready meals counter",
    "CNTRL/STORE SUP": "Store supplies",
    "COSMETICS": "Cosmetics",
    "DELI": "Deli",
    "DRUG GM": "Drugstore and general merchandise",
    "ELECT &PLUMBING": "Electrical and plumbing",
    "FLORAL": "Flowers",
    "FROZEN GROCERY": "Frozen grocery",
    "GARDEN CENTER": "Garden center",
    "GM MERCH EXP": "General merchandise",
    "GROCERY": "Grocery",
    "HOUSEWARES": "Housewares",
    "MEAT": "Meat",
    "MEAT-PCKGD": "Packaged meat",
    "NUTRITION": "Natural and diet food",
    "PASTRY": "Bakery",
    "PHOTO & VIDEO": "Photo and video",
    "POSTAL CENTER": "Postal center",
    "PROD-WHS SALES": "Produce, warehouse sales",
    "PRODUCE": "Produce",
    "RESTAURANT": "Restaurant",
    "SALAD BAR": "Salad bar",
    "SEAFOOD": "Seafood",
    "SEAFOOD-PCKGD": "Packaged seafood",
    "SPIRITS": "Beer, wine and spirits",
    "TOYS": "Toys",
    "TRAVEL & LEISURE": "Travel and leisure",
}

# Words as the till writes them (abbreviated or misspelt) and as a reader expects them.
WORD = dict(
    pair.split("=")
    for pair in (
        "acc=accessories acces=accessories access=accessories accessiores=accessories accs=accessories "
        "accss=accessories aero=aerosol ascepti=aseptic asceptic=aseptic bev=beverages beverag=beverage "
        "bkngwares=bakingware bndges=bandages brskt=brisket brst=breast btl=bottle btls=bottles carb=carbonated "
        "carpt=carpet catfd=cat_food chix=chicken choc=chocolate chococlate=chocolate chocol=chocolate "
        "chocola=chocolate cig=cigarette cilanto=cilantro cktls=cocktails cleane=cleaner clu=club cnd=canned "
        "cndles=candles cntrl=control coff=coffee conc=concentrate containr=containers cookng=cooking "
        "cran=cranberry crbntd=carbonated crmd=creamed decaf=decaffeinated decaffinated=decaffeinated "
        "deod=deodorants dipilatories=depilatories dnrs=dinners dogfd=dog_food drnk=drink drnkg=drinking "
        "drnking=drinking drnkng=drinking drp=drops elstc=elastic eng=English exc=except exch=exchange excp=except "
        "fd=food fds=foods fem=feminine flav=flavored flnk=flank flourscent=fluorescent flvr=flavored "
        "flvrd=flavored frd=fried frz=frozen frzn=frozen gds=goods gngr=ginger grnd=ground halloween=Halloween "
        "hallowen=Halloween handke=handkerchiefs hbc=health_and_beauty_care hngrs=hangers holdiay=holiday "
        "horser=horseradish hydrocortizone=hydrocortisone hygn=hygiene incl=including includi=including "
        "iqf=individually_frozen iws=individually_wrapped jce=juice jhook=J-hook jui=juice juic=juice leggs=L'eggs "
        "linaments=liniments liq=liquid liqs=liquids lnchmt=lunch_meat lndry=laundry loave=loaves loreal=L'Oréal "
        "lozng=lozenges lss=less lunchmeat=lunch_meat mach=machine marinad=marinades merch=merchandise "
        "misc=miscellaneous mlk=milk mlt=multi mneral=mineral mnr=mineral mnrl=mineral mult=multi natrl=natural "
        "ntrtnl=nutritional nz=New_Zealand occas=occasions oj=orange_juice orgnzrs=organizers othe=other "
        "otyher=other parti=party perrenials=perennials persnl=personal phys=physical physicans=physicians "
        "pickld=pickled pickls=pickles pk=pack pkg=packaged pkgd=packaged plstc=plastic pnch=punch pnut=peanut "
        "poinsetta=poinsettia porton=portions ppk=prepacked prem=premium prep=prepared prepack=prepacked "
        "preportnd=pre-portioned preprd=prepared prescool=preschool preshcool=preschool preslc=pre-sliced "
        "preslcd=pre-sliced presliced=pre-sliced prod=products promo=promotion protien=protein prpck=prepacked "
        "prslc=pre-sliced puree=purée pwdrs=powders qsr=quick_service refigerated=refrigerated refri=refrigerated "
        "refrig=refrigerated reg=regular retl=retail rtd=ready_to_drink rts=ready_to_serve rw=random_weight "
        "saus=sausage seafd=seafood sft=soft sgl=single shlder=shoulder shldr=shoulder shlfsh=shellfish shnk=shank "
        "smi=semi sngl=single specilaty=specialty srv=serve suade=suede sup=super suprt=support sv=serve swt=sweet "
        "syrp=syrup thn=than todd=toddler veg=vegetable wate=water whl=whole worchester=Worcestershire wra=wraps "
        "wt=weight wtr=water xmas=Christmas xpctrnt=expectorant"
    ).split()
)

# Patterns that hold several words or signs, in the order in which they apply.
PHRASES = (
    (r"^sal:", "salads: "),
    (r"^dl spec:", "deli specialties: "),
    (r"^sv bev:", "deli drinks: "),
    (r"^seafood-fre-", "fresh seafood: "),
    (r"^seafood-frz-brd\b", "frozen seafood: breaded"),
    (r"^seafood-frz-", "frozen seafood: "),
    (r"^seafood-misc-", "seafood needs: "),
    (r"\bbtr mix\b", "batter mix"),
    (r"\bbtr\b", "butter"),
    (r"^frzn brd\b", "frozen breaded"),
    (r"-magazine$", " magazines"),
    (r"\bsw gds\b", "sweet goods"),
    (r"\bbeeralemalt\b", "beer/ale/malt"),
    (r"\bbeerale\b", "beer/ale"),
    (r"\bjarslidsutensilsmis$", "jars/lids/utensils"),
    (r"\bsaucessalsapicantee$", "sauces/salsa/picante"),
    (r"\bctlrytblclthstthpksst$", "cutlery/tablecloths/toothpicks"),
    (r"\b(crab|saran)etc\b", r"\1 etc"),
    (r"\bltr fluid\b", "lighter fluid"),
    (r"\bdvd s\b", "DVDs"),
    (r"\b(women|men|children) ?s\b", r"\1's"),
    (r"\bw/\s*", "with "),
    (r"&", " and "),
    (r"(\d)\s*pk\b", r"\1-pack"),
    (r"(\d)pc\b", r"\1-piece"),
    (r"(\d)(ml|lbs|in|mm)\b", r"\1 \2"),
    (r"\.(?!\d)", " "),
)

# Blanks around signs, in the order in which they apply.
BLANKS = (
    (r"\s*:\s*", ": "),
    (r"(?<=[^\s(])\(", " ("),
    (r"\)(?=\w)", ") "),
    (r"([(/])\s+", r"\1"),
    (r"\s+([,)/])", r"\1"),
    (r"\s*-\s+|\s+-\s*", " - "),
    (r"\s+", " "),
)

PROPER = {
    word.lower(): word
    for word in (
        "Adidas Almay Alpo American Angus Anjou Asian Australian Barbie Bartlett BBQ Bonne Bosc Bradford Braeburn "
        "Canadian Caribbean CD Christmas Cornish CoverGirl Danish DVD DVDs DXM Easter English French Fuji Gala "
        "German Granny Greek Halloween Hanes Hansen Hasbro Hispanic Indian IQF Italian Japanese Kodak Levi "
        "Maybelline Mediterranean Mexican MLB Nerf New NFL OTC Pedigree PSE Revlon Ritz Roma Sally Saran Scotch "
        "Sinclair Skippy Smith Spanish SPF Thai TN TV UPC USDA Valentine VHS Vienna Worcestershire Yardley Zealand"
    ).split()
}

# Names made of these words alone say nothing without their category.
VAGUE = set(
    (
        "activity all and angus applicators bag bagged basic better blends brushes bulk butts can care choice cold "
        "collegiate cones continuity cooked decor drums dry economy enhanced everyday external flats flavored for "
        "frames fresh frozen gallon gourmet green half hot implements individual instant internal items jumbo kits "
        "large lean links liquid mainstream medium microwave miscellaneous mix multi natural new non novelties "
        "other others oven pack packaged packs pantry patties pints plain portions pre premium prepared primal "
        "private processed products promotion promotional quarts random raw red refrigerated regular seasonal "
        "select serve single singles size small specialty standard super sweet traditional tray trays tubs ultra "
        "value variety weight white whole with wrap yellow you"
    ).split()
)


def category_labels(path: Path = LABEL_FILE) -> dict[str, str]:
    """Return the readable name of every category, by its till name."""
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["name"]: row["label"] for row in csv.DictReader(handle, delimiter="|")}


def sentence(text: str) -> str:
    """Write a name in lower case with proper names kept, and a capital at the start."""
    words = re.split(r"([^A-Za-z]+)", text.lower())
    kept = "".join(PROPER.get(word, word) for word in words)
    return kept[:1].upper() + kept[1:]


def type_label(name: str, *, shortest_cut: int = 3) -> str:
    """Return the readable name of a product type: case, blanks, signs and certain abbreviations.

    A parenthesis that the till's width of 30 characters cut is closed, or dropped if fewer than
    ``shortest_cut`` characters of it are left.
    """
    text = close_parenthesis(name.lower(), shortest_cut=shortest_cut)
    for pattern, written in PHRASES:
        text = re.sub(pattern, written, text)
    text = re.sub(r"[a-z]+", lambda match: WORD.get(match[0], match[0]).replace("_", " "), text)
    for pattern, written in BLANKS:
        text = re.sub(pattern, written, text)
    return sentence(text.strip(" -:/"))


def close_parenthesis(text: str, *, shortest_cut: int) -> str:
    """Close a parenthesis that was cut, or drop it if too little of it is left."""
    start = text.rfind("(")
    if start < 0 or ")" in text[start:]:
        return text
    inside = text[start + 1 :].strip()
    return f"{text[:start]}({inside}…)" if len(inside) >= shortest_cut else text[:start].strip()


def is_vague(label: str) -> bool:
    """Tell whether a label needs its category: no word of it names a thing."""
    return all(word in VAGUE for word in re.findall(r"[a-zé]+", label.lower()))


def type_labels(categories: dict[str, str]) -> dict[str, str]:
    """Return a readable and unique label for every product type.

    ``categories`` maps each type's till name to the label of its main category, which vague
    labels carry in parentheses. Labels that two types share keep the whole till name, or else
    show it.
    """
    plain = {name: type_label(name) for name in categories}
    shared = Counter(plain.values())
    for name, label in plain.items():
        if is_vague(label):
            plain[name] = f"{label} ({categories[name]})"
        elif shared[label] > 1:
            plain[name] = type_label(name, shortest_cut=1)
    still = Counter(plain.values())
    return {name: f"{label} [{name}]" if still[label] > 1 else label for name, label in plain.items()}
