{#
    Countries that sources are known to name: the name in the source, in any case of letters, the
    name to show, ISO 3166-1 alpha-2 code (none for what is no single country) and region.
#}
{% macro known_countries() %}
    {{ return([
        ('Australia', 'Australia', 'AU', 'Oceania'),
        ('Austria', 'Austria', 'AT', 'Europe'),
        ('Bahrain', 'Bahrain', 'BH', 'Asia'),
        ('Belgium', 'Belgium', 'BE', 'Europe'),
        ('Brazil', 'Brazil', 'BR', 'South America'),
        ('Bulgaria', 'Bulgaria', 'BG', 'Europe'),
        ('Canada', 'Canada', 'CA', 'North America'),
        ('Channel Islands', 'Channel Islands', none, 'Europe'),
        ('China', 'China', 'CN', 'Asia'),
        ('Croatia', 'Croatia', 'HR', 'Europe'),
        ('Cyprus', 'Cyprus', 'CY', 'Europe'),
        ('Czech Republic', 'Czechia', 'CZ', 'Europe'),
        ('Czechia', 'Czechia', 'CZ', 'Europe'),
        ('Denmark', 'Denmark', 'DK', 'Europe'),
        ('EIRE', 'Ireland', 'IE', 'Europe'),
        ('Estonia', 'Estonia', 'EE', 'Europe'),
        ('European Community', 'European Community', none, 'Europe'),
        ('Finland', 'Finland', 'FI', 'Europe'),
        ('France', 'France', 'FR', 'Europe'),
        ('Germany', 'Germany', 'DE', 'Europe'),
        ('Greece', 'Greece', 'GR', 'Europe'),
        ('Hong Kong', 'Hong Kong', 'HK', 'Asia'),
        ('Hungary', 'Hungary', 'HU', 'Europe'),
        ('Iceland', 'Iceland', 'IS', 'Europe'),
        ('India', 'India', 'IN', 'Asia'),
        ('Ireland', 'Ireland', 'IE', 'Europe'),
        ('Israel', 'Israel', 'IL', 'Asia'),
        ('Italy', 'Italy', 'IT', 'Europe'),
        ('Japan', 'Japan', 'JP', 'Asia'),
        ('Latvia', 'Latvia', 'LV', 'Europe'),
        ('Lebanon', 'Lebanon', 'LB', 'Asia'),
        ('Lithuania', 'Lithuania', 'LT', 'Europe'),
        ('Luxembourg', 'Luxembourg', 'LU', 'Europe'),
        ('Malta', 'Malta', 'MT', 'Europe'),
        ('Mexico', 'Mexico', 'MX', 'North America'),
        ('Netherlands', 'Netherlands', 'NL', 'Europe'),
        ('New Zealand', 'New Zealand', 'NZ', 'Oceania'),
        ('Norway', 'Norway', 'NO', 'Europe'),
        ('Poland', 'Poland', 'PL', 'Europe'),
        ('Portugal', 'Portugal', 'PT', 'Europe'),
        ('Romania', 'Romania', 'RO', 'Europe'),
        ('RSA', 'South Africa', 'ZA', 'Africa'),
        ('Saudi Arabia', 'Saudi Arabia', 'SA', 'Asia'),
        ('Singapore', 'Singapore', 'SG', 'Asia'),
        ('Slovakia', 'Slovakia', 'SK', 'Europe'),
        ('Slovenia', 'Slovenia', 'SI', 'Europe'),
        ('South Africa', 'South Africa', 'ZA', 'Africa'),
        ('South Korea', 'South Korea', 'KR', 'Asia'),
        ('Spain', 'Spain', 'ES', 'Europe'),
        ('Sweden', 'Sweden', 'SE', 'Europe'),
        ('Switzerland', 'Switzerland', 'CH', 'Europe'),
        ('Turkey', 'Turkey', 'TR', 'Asia'),
        ('UK', 'United Kingdom', 'GB', 'Europe'),
        ('United Arab Emirates', 'United Arab Emirates', 'AE', 'Asia'),
        ('United Kingdom', 'United Kingdom', 'GB', 'Europe'),
        ('United States', 'United States', 'US', 'North America'),
        ('USA', 'United States', 'US', 'North America'),
    ]) }}
{% endmacro %}

{# The shop's own country, by its code. #}
{% macro home_country() -%}
    'GB'
{%- endmacro %}

{# The member that each dimension holds for what no source names. #}
{% macro unknown_country() -%}
    'Unknown'
{%- endmacro %}
